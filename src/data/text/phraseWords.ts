import type { WordPieceTokenizer } from './tokenizer.ts';

/** Words of a phrase: runs of letters and digits. */
export function wordsOf(phrase: string): readonly string[] {
  return phrase.match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** Words, each once, that the vocabulary can neither name nor spell; a model reads each as [UNK]. */
export function unreadableWords(phrase: string, tokenizer: WordPieceTokenizer): string[] {
  const isUnknown = (word: string) =>
    tokenizer.tokenize(word).some((piece) => tokenizer.idOf(piece) === tokenizer.unknownId);
  return [...new Set(wordsOf(phrase).filter(isUnknown))];
}
