/** From report text to token ids with the sentence and the word that each token belongs to. */
import { DataError } from '../errors.ts';
import type { Random } from '../random.ts';
import { selectReportText } from './sections.ts';
import { type SplitterName, splitSentences } from './sentences.ts';
import type { WordPieceTokenizer } from './tokenizer.ts';

/** Limits of `encodeReport` and `encodePhrase`, and how sentences are told apart. */
export interface EncodeOptions {
  /** Most tokens of a report, [CLS] and [SEP] included. Default 128. */
  readonly maxTokens?: number;
  /** Most sentences of a report. Default: as many as fit. */
  readonly maxSentences?: number;
  readonly splitter?: SplitterName;
  /** Training only: each sentence is kept with probability `keep` (at least one is), in random order. */
  readonly sampleSentences?: { readonly random: Random; readonly keep: number };
}

/** A text as the text encoder takes it. */
export interface EncodedText {
  /** `[tokens]`, from [CLS] to [SEP], without padding. */
  readonly ids: readonly number[];
  /** `[tokens]`, index of the sentence; -1 for [CLS], [SEP] and the full stops that end sentences. */
  readonly sentenceIds: readonly number[];
  /** `[tokens]`, index of the word within the whole text; -1 in the same places. */
  readonly wordIds: readonly number[];
  readonly sentences: readonly string[];
  /** Sentences that didn't fit into `maxTokens` or `maxSentences`. */
  readonly droppedSentences: readonly string[];
  readonly words: number;
}

/**
 * Encodes FINDINGS and IMPRESSION as one sequence `[CLS] s1 s2 ... [SEP]`. Sentences that don't fit are dropped whole;
 * only a first sentence that is too long alone is cut. A report without any sentence gives `sentences` of length 0.
 */
export function encodeReport(report: string, tokenizer: WordPieceTokenizer, options: EncodeOptions = {}): EncodedText {
  let sentences = splitSentences(selectReportText(report), options.splitter);
  if (options.sampleSentences) {
    const { random, keep } = options.sampleSentences;
    const shuffled = random.shuffle(sentences);
    const kept = shuffled.filter(() => random.chance(keep));
    sentences = kept.length > 0 ? kept : shuffled.slice(0, 1);
  }
  return encodeSentences(sentences, tokenizer, options);
}

/** Encodes a phrase alone, as one sentence. Throws DataError when it has no word. */
export function encodePhrase(phrase: string, tokenizer: WordPieceTokenizer, options: EncodeOptions = {}): EncodedText {
  const encoded = encodeSentences([phrase], tokenizer, options);
  if (encoded.sentences.length === 0) {
    throw new DataError(
      `The phrase "${phrase}" has no word to look for. Write what should be found, e.g. "left pleural effusion".`,
    );
  }
  return encoded;
}

/** A text that is equal for reports that say the same: case, spacing and punctuation are ignored. */
export function normalizeReport(report: string): string {
  return (
    selectReportText(report)
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? []
  ).join(' ');
}

export function encodeSentences(
  candidates: readonly string[],
  tokenizer: WordPieceTokenizer,
  { maxTokens = 128, maxSentences = Number.POSITIVE_INFINITY }: EncodeOptions = {},
): EncodedText {
  if (!Number.isInteger(maxTokens) || maxTokens < 3) {
    throw new RangeError(
      `maxTokens must be a whole number of 3 or more ([CLS], one token, [SEP]); found ${maxTokens}.`,
    );
  }
  const ids = [tokenizer.clsId];
  const sentenceIds = [-1];
  const wordIds = [-1];
  const sentences: string[] = [];
  const droppedSentences: string[] = [];
  let words = 0;
  for (const sentence of candidates) {
    const pieces = tokenizer.tokenize(sentence);
    let contentLength = pieces.length;
    while (contentLength > 0 && pieces[contentLength - 1] === '.') contentLength--;
    if (contentLength === 0) continue;
    const room = maxTokens - 1 - ids.length;
    const cut = sentences.length === 0 ? Math.min(pieces.length, room) : pieces.length;
    if (cut > room || sentences.length >= maxSentences) {
      droppedSentences.push(sentence);
      continue;
    }
    for (let i = 0; i < cut; i++) {
      const piece = pieces[i] ?? '';
      const inside = i < contentLength;
      if (inside && (i === 0 || !piece.startsWith('##'))) words++;
      ids.push(tokenizer.idOf(piece));
      sentenceIds.push(inside ? sentences.length : -1);
      wordIds.push(inside ? words - 1 : -1);
    }
    sentences.push(sentence);
  }
  ids.push(tokenizer.sepId);
  sentenceIds.push(-1);
  wordIds.push(-1);
  return { ids, sentenceIds, wordIds, sentences, droppedSentences, words };
}
