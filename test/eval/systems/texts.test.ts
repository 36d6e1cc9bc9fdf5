import { describe, expect, it } from 'vitest';
import { createTokenizer } from '../../../src/data/text/tokenizer.ts';
import { encodeForBioVil } from '../../../src/eval/systems/bioVil.ts';
import { findingOf, medKlipFindings, parseFindings } from '../../../src/eval/systems/findings.ts';
import { encodeForGloria } from '../../../src/eval/systems/gloria.ts';

const special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];
const vocabulary = [...special, 'left', 'effusion', 'pneumo', '##thorax', 'small', '.', ',', 'no', '##s'];
const tokenizer = createTokenizer({ vocabulary });
const pieces = (ids: readonly number[]) => ids.map((id) => vocabulary[id]);

describe("GLoRIA's reading of a phrase", () => {
  it('takes [CLS] and the words, whose pieces belong together, and leaves [SEP] out', () => {
    const { ids, units, count } = encodeForGloria('Small left pneumothorax.', tokenizer);
    expect(pieces(ids)).toEqual(['[CLS]', 'small', 'left', 'pneumo', '##thorax', '[SEP]']);
    expect(units).toEqual([0, 1, 2, 3, 3, -1]);
    expect(count).toBe(4);
  });

  it('reads sentences without marks one after the other', () => {
    const { ids } = encodeForGloria('1. Left effusion, small. 2. No pneumothorax.', tokenizer);
    const words = ['left', 'effusion', 'small', 'no', 'pneumo', '##thorax'];
    expect(pieces(ids)).toEqual(['[CLS]', ...words, '[SEP]']);
  });

  it('loses a word at the end for every unknown one, as the published code counts them', () => {
    const { ids, units, count } = encodeForGloria('left zebra effusion', tokenizer);
    expect(pieces(ids)).toEqual(['[CLS]', 'left', '[UNK]', 'effusion', '[SEP]']);
    expect([units, count]).toEqual([[0, 1, 2, -1, -1], 3]);
  });

  it('keeps a phrase of one word, and refuses one without', () => {
    expect(encodeForGloria('Effusions.', tokenizer).units).toEqual([0, 1, 1, -1]);
    expect(() => encodeForGloria('...', tokenizer)).toThrow('has no word to look for');
  });

  it('cuts long texts to 97 tokens', () => {
    const { ids } = encodeForGloria('left effusion '.repeat(80), tokenizer);
    expect(ids.length).toBe(97);
    expect(pieces(ids.slice(-1))).toEqual(['[SEP]']);
  });
});

it('removes marks at the end for BioViL, and only there', () => {
  expect(pieces(encodeForBioVil('Left effusion, small.?!', tokenizer, 16))).toEqual([
    '[CLS]',
    'left',
    'effusion',
    ',',
    'small',
    '[SEP]',
  ]);
});

describe("MedKLIP's findings", () => {
  const book = Object.fromEntries(medKlipFindings.map((name) => [name, `About ${name}.`]));

  it('are the published 75 in their order', () => {
    expect(medKlipFindings.length).toBe(75);
    expect(new Set(medKlipFindings).size).toBe(75);
    expect(medKlipFindings.indexOf('pneumonia')).toBe(20);
    expect(medKlipFindings.at(-1)).toBe('excluded_obs');
  });

  it('are read with the one misspelt name of the published file, and with further ones', () => {
    const entries = Object.entries({ ...book, 'COVID-19': 'An infection.' });
    const published = Object.fromEntries(entries.map(([key, text]) => [key === 'pneumonia' ? 'eumonia' : key, text]));
    const findings = parseFindings(JSON.stringify(published), 'book.json');
    expect(findings[20]).toEqual({ name: 'pneumonia', description: 'About pneumonia.' });
    expect(findings[75]).toEqual({ name: 'covid-19', description: 'An infection.' });
    const names = findings.map(({ name }) => name);
    expect(findingOf('Findings suggesting COVID-19.', names)).toBe(75);
  });

  it('are refused from another file', () => {
    expect(() => parseFindings('{', 'book.json')).toThrow('book.json is not JSON');
    expect(() => parseFindings('[]', 'book.json')).toThrow('found an array');
    expect(() => parseFindings('{"a":"b"}', 'book.json')).toThrow('found 1 entries');
    const shuffled = Object.fromEntries(Object.entries(book).reverse());
    expect(() => parseFindings(JSON.stringify(shuffled), 'book.json')).toThrow(
      'found "excluded_obs" as entry 1 instead of "normal"',
    );
    expect(() => parseFindings(JSON.stringify({ ...book, tube: 3 }), 'book.json')).toThrow(
      'expected a description of "tube", found 3',
    );
  });

  const nameOf = (phrase: string, category?: string) => medKlipFindings[findingOf(phrase, medKlipFindings, category)];

  it('are found by category, else as the only one that a phrase names', () => {
    expect(nameOf('left basilar haziness', 'Lung Opacity')).toBe('opacity');
    expect(nameOf('effusion and edema', 'Pleural Effusion')).toBe('effusion');
    expect(nameOf('no pleural effusion')).toBe('effusion');
    expect(nameOf('Findings suggesting pneumonia.')).toBe('pneumonia');
    expect(nameOf('stable findings of disease, clear nodule')).toBe('nodule');
    expect(nameOf('Bibasilar opacities')).toBe('opacity');
    expect(nameOf('pleural thickening')).toBe('thicken');
    expect(nameOf('patchy infiltrates on the left')).toBe('infiltrate');
  });

  it('are listed where a phrase names none or several', () => {
    expect(() => findingOf('haziness', medKlipFindings)).toThrow(
      /cannot look for "haziness", which names none of its findings\. It knows 75: normal, clear, .* excluded_obs\.$/,
    );
    expect(() => findingOf('effusion and edema', medKlipFindings)).toThrow('names several findings (effusion, edema)');
    expect(() => findingOf('haziness', medKlipFindings, 'Sarcoidosis')).toThrow('"haziness" (Sarcoidosis)');
  });
});
