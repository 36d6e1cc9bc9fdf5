/** The findings that MedKLIP knows, and which of them a phrase means. */
import { DataError } from '../../data/errors.ts';

/** A finding and the description that stands for it as a query. */
export interface Finding {
  readonly name: string;
  readonly description: string;
}

/** MedKLIP's queries in their order (`original_class` of `Sample_Zero-Shot_Grounding_RSNA/test.py`). */
export const medKlipFindings: readonly string[] = [
  ...['normal', 'clear', 'sharp', 'sharply', 'unremarkable', 'intact', 'stable', 'free', 'effusion', 'opacity'],
  ...['pneumothorax', 'edema', 'atelectasis', 'tube', 'consolidation', 'process', 'abnormality', 'enlarge', 'tip'],
  ...['low', 'pneumonia', 'line', 'congestion', 'catheter', 'cardiomegaly', 'fracture', 'air', 'tortuous', 'lead'],
  ...['disease', 'calcification', 'prominence', 'device', 'engorgement', 'picc', 'clip', 'elevation', 'expand'],
  ...['nodule', 'wire', 'fluid', 'degenerative', 'pacemaker', 'thicken', 'marking', 'scar', 'hyperinflate', 'blunt'],
  ...['loss', 'widen', 'collapse', 'density', 'emphysema', 'aerate', 'mass', 'crowd', 'infiltrate', 'obscure'],
  ...['deformity', 'hernia', 'drainage', 'distention', 'shift', 'stent', 'pressure', 'lesion', 'finding'],
  ...['borderline', 'hardware', 'dilation', 'chf', 'redistribution', 'aspiration', 'tail_abnorm_obs', 'excluded_obs'],
];

/**
 * Reads MedKLIP's `observation explanation.json`: an object of names and descriptions, the 75 published ones first and in
 * their order, whose names are taken as published (the file misspells one). Further entries are further queries, e.g.
 * a disease that training never named. @throws DataError if the file is another one
 */
export function parseFindings(text: string, source: string): Finding[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new DataError(`${source} is not JSON: ${error instanceof Error ? error.message : error}.`);
  }
  const expected = `MedKLIP's "observation explanation.json", an object of ${medKlipFindings.length} names and descriptions or more`;
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new DataError(`${source}: expected ${expected}, found ${Array.isArray(json) ? 'an array' : typeof json}.`);
  }
  const entries = Object.entries(json as Record<string, unknown>);
  if (entries.length < medKlipFindings.length) {
    throw new DataError(`${source}: expected ${expected}, found ${entries.length} entries.`);
  }
  const misnamed = medKlipFindings.flatMap((name, i) => (entries[i]?.[0] === name ? [] : [i]));
  const [first = 0] = misnamed;
  if (misnamed.length > 1) {
    throw new DataError(
      `${source}: expected ${expected} in the published order, found "${entries[first]?.[0]}" as entry ${first + 1} instead of "${medKlipFindings[first]}".`,
    );
  }
  return entries.map(([key, description], i) => {
    if (typeof description !== 'string' || description.trim() === '') {
      throw new DataError(`${source}: expected a description of "${key}", found ${JSON.stringify(description)}.`);
    }
    return { name: medKlipFindings[i] ?? key.trim().toLowerCase(), description };
  });
}

/** Other words for findings, as MedKLIP's code and data sets name them. */
const otherWords: Readonly<Record<string, string>> = {
  infiltration: 'infiltrate',
  thickening: 'thicken',
  enlarged: 'enlarge',
  enlargement: 'enlarge',
  widening: 'widen',
  blunting: 'blunt',
  hyperinflation: 'hyperinflate',
  hyperinflated: 'hyperinflate',
  masses: 'mass',
  opacification: 'opacity',
  collapsed: 'collapse',
};

/** Findings that say nothing of what was found: they hold only where a phrase names no other. */
const general = new Set(
  'normal clear sharp sharply unremarkable intact stable free process abnormality low disease finding borderline'.split(
    ' ',
  ),
);

function singular(word: string): string {
  return word.endsWith('ies')
    ? `${word.slice(0, -3)}y`
    : word.endsWith('s') && !word.endsWith('ss')
      ? word.slice(0, -1)
      : word;
}

/** The findings that a text names, each once, in the order of the text. */
function namedIn(text: string, names: readonly string[]): string[] {
  const known = new Set(names);
  const lower = text.toLowerCase();
  const found = (lower.match(/[\p{L}\p{N}_-]+/gu) ?? []).flatMap((word) => {
    const candidates = [word, otherWords[word] ?? '', singular(word)];
    return candidates.find((candidate) => known.has(candidate)) ?? [];
  });
  // Names of several words, which only added findings have.
  const longer = names.filter((name) => /\s/.test(name) && lower.includes(name));
  const all = [...new Set([...longer, ...found])];
  const specific = all.filter((name) => !general.has(name));
  return specific.length > 0 ? specific : all;
}

/**
 * Index of the finding that a phrase asks for: that of its category, else the only one that it names.
 * @throws DataError that lists the findings when there is none or more than one.
 */
export function findingOf(phrase: string, names: readonly string[], category?: string): number {
  const byCategory = category === undefined ? [] : namedIn(category, names);
  const found = byCategory.length === 1 ? byCategory : namedIn(phrase, names);
  if (found.length === 1) return names.indexOf(found[0] ?? '');
  const of = category === undefined ? '' : ` (${category})`;
  const what = found.length > 1 ? `names several findings (${found.join(', ')})` : 'names none of its findings';
  throw new DataError(
    `MedKLIP cannot look for "${phrase}"${of}, which ${what}. It knows ${names.length}: ${names.join(', ')}.`,
  );
}
