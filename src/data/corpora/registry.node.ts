/** The corpora that can be named. */
import { DataError } from '../errors.ts';
import { chexlocalize } from './chexlocalize.node.ts';
import type { Corpus } from './corpus.ts';
import { covidRural } from './covid-rural.node.ts';
import { folder } from './folder.node.ts';
import { iuXray } from './iu-xray.node.ts';
import { mimicCxr, mimicCxrJpg } from './mimic.node.ts';
import { msCxr } from './ms-cxr.node.ts';
import { rsna } from './rsna.node.ts';

const corpora: readonly Corpus[] = [mimicCxrJpg, mimicCxr, iuXray, rsna, covidRural, msCxr, chexlocalize, folder];

export const corpusNames: readonly string[] = corpora.map(({ name }) => name);

/** `  rsna          chest radiographs with boxes ...` for all, a line each. */
export function describeCorpora(): string {
  return corpora.map(({ name, description }) => `  ${name.padEnd(14)}${description}`).join('\n');
}

/** Throws DataError that lists the names. */
export function corpusNamed(name: string): Corpus {
  const corpus = corpora.find((each) => each.name === name);
  if (!corpus) throw new DataError(`There is no corpus "${name}"; the corpora are ${corpusNames.join(', ')}.`);
  return corpus;
}
