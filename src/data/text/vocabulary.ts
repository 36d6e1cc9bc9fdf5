/** Building a small WordPiece vocabulary from the texts themselves, for models trained from scratch. */

/** Size of a vocabulary, and what gets into it. */
export interface VocabularyOptions {
  /** Most pieces, the special ones included. Default 8192. */
  readonly size?: number;
  /** Words with up to this many letters are one piece, longer ones are cut into stems and endings. Default 7. */
  readonly longestWord?: number;
}

const SPECIAL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'] as const;
const MARKS = '.,:;()/%+-_\'"?!';
const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';
const STEM_LENGTH = 5;

/**
 * Pieces by falling frequency after the special ones, punctuation and single letters. The letters make sure that no word
 * in the alphabet of the texts (or plain ASCII) is unknown: what has no piece of its own is spelled.
 * The texts are lower-cased; ties are settled alphabetically, so equal texts give equal vocabularies.
 */
export function buildVocabulary(texts: Iterable<string>, options: VocabularyOptions = {}): string[] {
  const { size = 8192, longestWord = 7 } = options;
  const counts = new Map<string, number>();
  const letters = new Set(LETTERS);
  for (const text of texts) {
    const plain = text
      .toLowerCase()
      .normalize('NFD')
      .replace(/\p{Mn}/gu, '');
    for (const word of plain.match(/\p{L}+/gu) ?? []) {
      for (const letter of word) letters.add(letter);
      for (const piece of cutWord(word, longestWord)) counts.set(piece, (counts.get(piece) ?? 0) + 1);
    }
  }
  const alphabet = [...letters].sort();
  const base = [...SPECIAL, ...MARKS, ...alphabet, ...alphabet.map((letter) => `##${letter}`)];
  const known = new Set(base);
  const learned = [...counts]
    .filter(([piece]) => !known.has(piece))
    .sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1))
    .map(([piece]) => piece);
  return [...base, ...learned].slice(0, Math.max(size, base.length));
}

/** `pneumothorax` -> `pneum`, `##othor`, `##ax`. */
function cutWord(word: string, longestWord: number): string[] {
  const letters = [...word];
  if (letters.length <= longestWord) return [word];
  const pieces: string[] = [];
  for (let i = 0; i < letters.length; i += STEM_LENGTH) {
    pieces.push((i === 0 ? '' : '##') + letters.slice(i, i + STEM_LENGTH).join(''));
  }
  return pieces;
}
