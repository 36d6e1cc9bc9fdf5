import { buildVocabulary } from '../text/vocabulary.ts';
import { phantomStudy } from './study.ts';

/**
 * The WordPiece vocabulary of the phantom reports, the same for every seed of the corpus: the words of fixed training
 * reports, long ones in several pieces. The unseen class's own words are not in it and get spelled.
 */
export function phantomVocabulary(): string[] {
  return buildVocabulary(Array.from({ length: 400 }, (_, i) => phantomStudy(0, 'train', i).report));
}
