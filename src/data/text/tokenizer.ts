/** BERT's WordPiece tokenizer over any `vocab.txt`. */
import { Tokenizer } from '@huggingface/tokenizers';
import { DataError } from '../errors.ts';

/** Everything a tokenizer is made of; plain data, so that checkpoints can store it and workers can receive it. */
export interface TokenizerSpec {
  /** Pieces in the order of their ids. */
  readonly vocabulary: readonly string[];
  /** Lower-case the text and strip its accents first, also over a cased vocabulary. */
  readonly lowerCase: boolean;
}

/** Tokens of texts for a BERT vocabulary. Made by `createTokenizer`. */
export interface WordPieceTokenizer {
  readonly spec: TokenizerSpec;
  readonly vocabularySize: number;
  readonly padId: number;
  readonly unknownId: number;
  readonly clsId: number;
  readonly sepId: number;
  /** Pieces of a text without [CLS] and [SEP]. */
  tokenize(text: string): string[];
  /** Id of a piece; `unknownId` where the vocabulary lacks it. */
  idOf(piece: string): number;
  /** The piece with this id; throws RangeError for an id outside the vocabulary. */
  pieceOf(id: number): string;
}

/** Reads a `vocab.txt`: one piece a line, the line number is the id. Throws DataError when a special piece is missing. */
export function parseVocabulary(text: string, source = 'vocab.txt'): string[] {
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''));
  while (lines.length > 0 && lines.at(-1) === '') lines.pop();
  for (const special of ['[PAD]', '[UNK]', '[CLS]', '[SEP]']) {
    if (!lines.includes(special)) {
      throw new DataError(
        `${source}: expected a line "${special}" as BERT vocabularies have, found none in ${lines.length} lines.`,
      );
    }
  }
  return lines;
}

/** `lowerCase` defaults to true. Throws DataError when the vocabulary lacks a special piece. */
export function createTokenizer(spec: { vocabulary: readonly string[]; lowerCase?: boolean }): WordPieceTokenizer {
  const { vocabulary, lowerCase = true } = spec;
  const ids = new Map<string, number>();
  vocabulary.forEach((piece, id) => {
    if (!ids.has(piece)) ids.set(piece, id);
  });
  const special = (piece: string): number => {
    const id = ids.get(piece);
    if (id === undefined) throw new DataError(`The vocabulary of ${vocabulary.length} pieces has no "${piece}".`);
    return id;
  };
  const unknownId = special('[UNK]');
  const tokenizer = new Tokenizer(
    {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: [],
      normalizer: {
        type: 'BertNormalizer',
        clean_text: true,
        handle_chinese_chars: true,
        strip_accents: null,
        lowercase: lowerCase,
      },
      pre_tokenizer: { type: 'BertPreTokenizer' },
      post_processor: null,
      decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
      model: {
        type: 'WordPiece',
        unk_token: '[UNK]',
        continuing_subword_prefix: '##',
        max_input_chars_per_word: 100,
        vocab: Object.fromEntries(ids),
      },
    },
    { clean_up_tokenization_spaces: false },
  );
  return {
    spec: { vocabulary, lowerCase },
    vocabularySize: vocabulary.length,
    padId: special('[PAD]'),
    unknownId,
    clsId: special('[CLS]'),
    sepId: special('[SEP]'),
    tokenize: (text) => (text.trim() === '' ? [] : tokenizer.tokenize(text)),
    idOf: (piece) => ids.get(piece) ?? unknownId,
    pieceOf(id) {
      const piece = vocabulary[id];
      if (piece === undefined) throw new RangeError(`There is no piece ${id} in a vocabulary of ${vocabulary.length}.`);
      return piece;
    },
  };
}
