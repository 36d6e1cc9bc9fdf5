import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/data/random.ts';
import { encodePhrase, encodeReport, normalizeReport } from '../../src/data/text/encode.ts';
import { parseSections, selectReportText } from '../../src/data/text/sections.ts';
import { hasSentence, splitSentences } from '../../src/data/text/sentences.ts';
import { createTokenizer } from '../../src/data/text/tokenizer.ts';
import { buildVocabulary } from '../../src/data/text/vocabulary.ts';

describe('hasSentence', () => {
  it('agrees with splitting, over texts of random pieces', () => {
    const random = createRandom('pieces');
    const pieces = ['1.', '2)', ' ', '\n\n', '___', '.', '3.5', '(', 'a.m.', 'é', 'XXXX', '12', '?!', 'no'];
    for (let k = 0; k < 3000; k++) {
      // Letters are rare, so that both answers occur.
      const length = random.int(0, 6);
      const text = Array.from({ length }, () => random.pick(random.chance(0.8) ? pieces.slice(0, 8) : pieces)).join('');
      for (const splitter of ['clinical', 'gloria'] as const) {
        expect(hasSentence(text, splitter), JSON.stringify(text)).toBe(splitSentences(text, splitter).length > 0);
      }
    }
  });
});

describe('splitSentences', () => {
  it.each([
    ['decimals', 'A 1.9 x 2.1 cm nodule. It grew by .5 cm.', ['A 1.9 x 2.1 cm nodule.', 'It grew by .5 cm.']],
    ['titles', 'Discussed with Dr. Smith by Dr. ___. Stable.', ['Discussed with Dr. Smith by Dr. ___.', 'Stable.']],
    [
      'times',
      'Seen at 9:30 a.m. on ___. Paged at 7 p.m. The tube is high.',
      ['Seen at 9:30 a.m. on ___.', 'Paged at 7 p.m.', 'The tube is high.'],
    ],
    ['vs.', 'Atelectasis vs. pneumonia. No effusion.', ['Atelectasis vs. pneumonia.', 'No effusion.']],
    ['enumerations', '1. No pneumothorax. 2. Mild edema. 3. Stable.', ['No pneumothorax.', 'Mild edema.', 'Stable.']],
    ['enumerations without full stops', '1. No pneumothorax 2. Mild edema', ['No pneumothorax', 'Mild edema']],
    ['enumerations on lines', '1) No pneumothorax\n2) Mild edema', ['No pneumothorax', 'Mild edema']],
    ['enumerations without spaces', '1.No pneumothorax.2.Mild edema.', ['No pneumothorax.', 'Mild edema.']],
    ['a sentence that ends with a number', 'Fracture of rib 4. No effusion.', ['Fracture of rib 4.', 'No effusion.']],
    [
      'removed identifiers',
      'Compared to XXXX. ___ year old. XXXX XXXX is clear.',
      ['Compared to XXXX.', '___ year old.', 'XXXX XXXX is clear.'],
    ],
    ['a missing space', 'Lungs are clear.The heart is normal.', ['Lungs are clear.', 'The heart is normal.']],
    [
      'a missing space after an identifier',
      'Clear right XXXX.In the left base.',
      ['Clear right XXXX.', 'In the left base.'],
    ],
    ['initials', 'Read by J. Doe. Clear.', ['Read by J. Doe.', 'Clear.']],
    [
      'line breaks inside sentences',
      'There is no\n focal opacity.\n \n Heart normal.',
      ['There is no focal opacity.', 'Heart normal.'],
    ],
    ['lower case reports', 'no effusion. heart is normal.', ['no effusion.', 'heart is normal.']],
    ['questions and brackets', 'Pneumonia? (New infiltrate.) Clear.', ['Pneumonia?', '(New infiltrate.)', 'Clear.']],
    ['no text', ' \n . 3. ', []],
  ])('handles %s', (_name, text, sentences) => {
    expect(splitSentences(text)).toEqual(sentences);
  });

  it('as GLoRIA does it: at every full stop and number, words only, single words left out', () => {
    expect(
      splitSentences('1. No PNEUMOTHORAX, or\neffusion. 2. Stable. Nodule of 1.9 x 2.1 cm – unchanged.', 'gloria'),
    ).toEqual(['no pneumothorax or effusion', 'nodule of', '9 x', '1 cm unchanged']);
    expect(splitSentences('Opacité médiane. Clear lungs', 'gloria')).toEqual(['opacit mdiane', 'clear lungs']);
  });
});

const MIMIC = ` ${' '.repeat(32)}FINAL REPORT
 EXAMINATION:  CHEST (PA AND LAT)
 
 INDICATION:  ___F with new onset ascites  // eval for infection
 
 FINDINGS: 
 
 There is no focal consolidation, pleural effusion or pneumothorax.  Bilateral
 nodular opacities are seen.
 
 IMPRESSION: 
 
 No acute cardiopulmonary process.
`;

describe('report sections', () => {
  it('are found in a MIMIC-CXR report, also with CRLF line ends', () => {
    for (const report of [MIMIC, MIMIC.replaceAll('\n', '\r\n')]) {
      expect(parseSections(report).map(({ name }) => name)).toEqual([
        'examination',
        'indication',
        'findings',
        'impression',
      ]);
      expect(splitSentences(selectReportText(report))).toEqual([
        'There is no focal consolidation, pleural effusion or pneumothorax.',
        'Bilateral nodular opacities are seen.',
        'No acute cardiopulmonary process.',
      ]);
    }
  });

  it.each([
    ['misspelled headings', ' FINDNGS: A b.\n \n IMRPESSION: C d.\n', 'A b.\n\nC d.'],
    ['view headings', ' PA AND LATERAL VIEWS OF THE CHEST: A b.\n', 'A b.'],
    [
      'the last section of a name',
      ' IMPRESSION: Old text.\n ________________\n FINAL REPORT\n IMPRESSION: New text.\n',
      'New text.',
    ],
    ['text after the impression', ' IMPRESSION: A b.\n \n RECOMMENDATION(S): C d.\n NOTIFICATION: E f.\n', 'A b.'],
    ['headings within a line', 'INDICATION: Pain. FINDINGS: A b. IMPRESSION: C d.', 'A b.\n\nC d.'],
    ['headings in mixed case', 'Findings: A b.\nImpression: C d.', 'A b.\n\nC d.'],
    ['an empty findings section', ' FINDINGS:\n \n IMPRESSION: C d.\n', 'C d.'],
    [
      'a final report without headings',
      ' FINAL REPORT\n AP CHEST, 3 A.M.\n \n Tubes are in place.\n',
      'Tubes are in place.',
    ],
    ['a last paragraph below other headings', ' COMPARISON: None.\n \n Lungs are clear.\n', 'Lungs are clear.'],
    [
      'notes without any heading',
      'Cough for 3 days.\n\nLungs are clear: no opacity.',
      'Cough for 3 days.\n\nLungs are clear: no opacity.',
    ],
    ['an indication alone', ' INDICATION: Pain.\n', ''],
    ['nothing', '  \n', ''],
  ])('are chosen for training: %s', (_name, report, text) => {
    expect(selectReportText(report)).toBe(text);
  });
});

describe('encodeReport', () => {
  const report = 'FINDINGS: Small left effusion. There is a 1.5 cm opacity, unchanged. IMPRESSION: Pneumothorax...';
  const tokenizer = createTokenizer({ vocabulary: buildVocabulary([report]) });
  const decode = (ids: readonly number[]) => ids.map(tokenizer.pieceOf).join(' ');

  it('encodes all sentences jointly and keeps [CLS], [SEP] and final full stops outside', () => {
    const { ids, sentenceIds, wordIds, sentences, droppedSentences, words } = encodeReport(report, tokenizer);
    expect(decode(ids)).toBe(
      '[CLS] small left effus ##ion . there is a 1 . 5 cm opacity , uncha ##nged . pneum ##othor ##ax . . . [SEP]',
    );
    expect(sentenceIds).toEqual([-1, 0, 0, 0, 0, -1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, 2, 2, 2, -1, -1, -1, -1]);
    expect(wordIds).toEqual([-1, 0, 1, 2, 2, -1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 12, -1, 13, 13, 13, -1, -1, -1, -1]);
    expect([words, sentences.length, droppedSentences.length]).toEqual([14, 3, 0]);
  });

  it('drops whole sentences that do not fit and cuts only a first one that is too long alone', () => {
    const fitting = encodeReport(report, tokenizer, { maxTokens: 14 });
    expect(decode(fitting.ids)).toBe('[CLS] small left effus ##ion . pneum ##othor ##ax . . . [SEP]');
    expect(fitting.droppedSentences).toEqual(['There is a 1.5 cm opacity, unchanged.']);
    const cut = encodeReport(report, tokenizer, { maxTokens: 5 });
    expect(decode(cut.ids)).toBe('[CLS] small left effus [SEP]');
    expect(cut.sentences).toEqual(['Small left effusion.']);
    expect(cut.droppedSentences.length).toBe(2);
    expect(encodeReport(report, tokenizer, { maxSentences: 1 }).sentences).toEqual(['Small left effusion.']);
  });

  it('samples sentences in random order for training, at least one, the same for the same stream', () => {
    const sample = (seed: number, keep: number) =>
      encodeReport(report, tokenizer, { sampleSentences: { random: createRandom(seed), keep } }).sentences;
    expect(sample(1, 0).length).toBe(1);
    expect(sample(4, 0.5)).toEqual(sample(4, 0.5));
    const orders = new Set(Array.from({ length: 40 }, (_, seed) => sample(seed, 1).join('|')));
    expect(orders.size).toBe(6);
  });

  it('gives no sentence for an empty report and an error for an empty phrase', () => {
    expect(encodeReport('INDICATION: Pain.', tokenizer).sentences).toEqual([]);
    expect(() => encodePhrase(' . ', tokenizer)).toThrow(/has no word/);
    expect(() => encodePhrase('left', tokenizer, { maxTokens: 2 })).toThrow(/3 or more/);
    expect(decode(encodePhrase('left opacity', tokenizer).ids)).toBe('[CLS] left opacity [SEP]');
  });
});

describe('normalizeReport', () => {
  it('is equal for reports that differ in case, spacing and punctuation only', () => {
    expect(normalizeReport('FINDINGS: Lungs  are clear.')).toBe(normalizeReport('lungs are CLEAR'));
    expect(normalizeReport('Left opacity.')).not.toBe(normalizeReport('Right opacity.'));
  });
});

const reports = `${process.env.GROUNDRAY_SHARED ?? '../shared'}/data/reports/indiana-xml`;
describe.skipIf(!existsSync(reports))('real reports', () => {
  // Also without the folder, whose tests are then skipped, this body runs.
  const files = existsSync(reports) ? readdirSync(reports) : [];
  const texts = files.map((file) => {
    const xml = readFileSync(`${reports}/${file}`, 'utf8');
    const section = (label: string) =>
      new RegExp(`<AbstractText Label="${label}">([^<]*)</AbstractText>`)
        .exec(xml)?.[1]
        ?.replaceAll('&lt;', '<')
        .replaceAll('&amp;', '&') ?? '';
    return { file, findings: section('FINDINGS').trim(), impression: section('IMPRESSION').trim() };
  });

  it('keep every letter through sections and sentences', () => {
    expect(texts.length).toBeGreaterThan(300);
    const letters = (text: string) => text.replace(/[^\p{L}_]/gu, '');
    for (const { file, findings, impression } of texts) {
      const report = `FINDINGS: ${findings}\n\nIMPRESSION: ${impression}\n`;
      const sentences = splitSentences(selectReportText(report));
      expect(letters(sentences.join('')), file).toBe(letters(findings + impression));
      for (const [decimal] of report.matchAll(/\d+\.\d+/g)) {
        expect(
          sentences.some((sentence) => sentence.includes(decimal)),
          `${file}: ${decimal}`,
        ).toBe(true);
      }
      for (const sentence of sentences) {
        expect(sentence, file).toMatch(/\p{L}/u);
        expect(sentence, `${file}: cut after a title`).not.toMatch(/\b(?:Dr|vs|Mr|Mrs)\.$/);
      }
    }
  });

  it('are split into as many points as a numbered impression has', () => {
    const numbered = texts.filter(({ impression }) => /^1\.\s/.test(impression) && /\s2\.\s/.test(impression));
    expect(numbered.length).toBeGreaterThan(5);
    for (const { file, impression } of numbered) {
      const markers = impression.match(/(?:^|\s)\d\.\s+(?=[A-Z])/g)?.length ?? 0;
      const sentences = splitSentences(impression);
      expect(sentences.length, file).toBeGreaterThanOrEqual(markers);
      for (const sentence of sentences) expect(sentence, file).not.toMatch(/^\d\.|\s\d\.\s+[A-Z]/);
    }
  });
});
