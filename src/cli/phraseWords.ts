import { encodePhrase } from '../data/text/encode.ts';
import { unreadableWords, wordsOf } from '../data/text/phraseWords.ts';
import type { WordPieceTokenizer } from '../data/text/tokenizer.ts';
import { UsageError } from './common.ts';

/**
 * Words of a phrase that the vocabulary can neither name nor spell; the model reads each as [UNK].
 * @throws UsageError when the phrase has no word at all.
 */
export function unknownWords(phrase: string, tokenizer: WordPieceTokenizer, maxTokens: number): string[] {
  if (wordsOf(phrase).length === 0) {
    throw new UsageError(
      `The phrase "${phrase}" has no word to look for. Write what should be found, e.g. "left pleural effusion".`,
    );
  }
  encodePhrase(phrase, tokenizer, { maxTokens });
  return unreadableWords(phrase, tokenizer);
}

/** A sentence that warns of unknown words; undefined where there is none. */
export function unknownWordsWarning(phrase: string, unknown: readonly string[]): string | undefined {
  if (unknown.length === 0) return undefined;
  const all = wordsOf(phrase).every((word) => unknown.includes(word));
  return all
    ? `Warning: no word of "${phrase}" is in the vocabulary of this run, so its map says nothing about the phrase.`
    : `Warning: "${phrase}": not in the vocabulary of this run and read as unknown: ${unknown.join(', ')}.`;
}
