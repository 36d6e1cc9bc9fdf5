import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createTokenizer, parseVocabulary } from '../../src/data/text/tokenizer.ts';
import { buildVocabulary } from '../../src/data/text/vocabulary.ts';

const bert = `${process.env.GROUNDRAY_SHARED ?? '../shared'}/data/bert`;

interface Expected {
  cases: { text: string; [setting: string]: { tokens: string[]; ids: number[] } | string }[];
}

describe.skipIf(!existsSync(bert))('tokenizer on the published BERT vocabularies', () => {
  it.each([
    ['cased', 'bert-base-cased-vocab.txt', false],
    ['cased-vocab-lower-casing', 'bert-base-cased-vocab.txt', true],
    ['uncased', 'bert-base-uncased-vocab.txt', true],
  ] as const)('gives the expected pieces and ids: %s', (setting, file, lowerCase) => {
    const tokenizer = createTokenizer({
      vocabulary: parseVocabulary(readFileSync(`${bert}/${file}`, 'utf8')),
      lowerCase,
    });
    const expected = JSON.parse(readFileSync(`${bert}/tokenization-expected.json`, 'utf8')) as Expected;
    expect(expected.cases.length).toBeGreaterThan(60);
    for (const item of expected.cases) {
      const want = item[setting] as { tokens: string[]; ids: number[] };
      const tokens = tokenizer.tokenize(item.text);
      expect(tokens, item.text).toEqual(want.tokens);
      expect([tokenizer.clsId, ...tokens.map(tokenizer.idOf), tokenizer.sepId], item.text).toEqual(want.ids);
    }
  });

  it('lower-cases by default and reads the special ids from the vocabulary', () => {
    const tokenizer = createTokenizer({
      vocabulary: parseVocabulary(readFileSync(`${bert}/bert-base-cased-vocab.txt`, 'utf8')),
    });
    expect(tokenizer.spec.lowerCase).toBe(true);
    expect(tokenizer.tokenize('Abnormality')).toEqual(['abnormal', '##ity']);
    expect([tokenizer.padId, tokenizer.unknownId, tokenizer.clsId, tokenizer.sepId]).toEqual([0, 100, 101, 102]);
  });
});

describe('parseVocabulary', () => {
  it('keeps line numbers as ids, accepts CRLF, and names the special piece that is missing', () => {
    expect(parseVocabulary('[PAD]\r\n[UNK]\r\n[CLS]\r\n[SEP]\r\nlung\r\n')).toEqual([
      '[PAD]',
      '[UNK]',
      '[CLS]',
      '[SEP]',
      'lung',
    ]);
    expect(() => parseVocabulary('[PAD]\n[UNK]\nlung\n', 'my.txt')).toThrow(/my\.txt: expected a line "\[CLS\]"/);
  });
});

describe('buildVocabulary', () => {
  const texts = ['Small left pneumothorax. Small effusion.', 'Épanchement à gauche'];

  it('spells what it does not know, so that no word is unknown', () => {
    const tokenizer = createTokenizer({ vocabulary: buildVocabulary(texts) });
    expect(tokenizer.tokenize('small pneumothorax')).toEqual(['small', 'pneum', '##othor', '##ax']);
    expect(tokenizer.tokenize('zebra 42 épi').includes('[UNK]')).toBe(false);
  });

  it('is the same for texts in another order and keeps to its size', () => {
    expect(buildVocabulary(texts.toReversed())).toEqual(buildVocabulary(texts));
    const base = buildVocabulary([]).length;
    expect(buildVocabulary(texts, { size: base + 7 }).length).toBe(base + 7);
  });
});
