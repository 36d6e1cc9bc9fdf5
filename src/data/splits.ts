/** The names that data sets give their splits, and splits for those that have none. */
import { hashString } from './random.ts';
import type { Split } from './types.ts';

const SPLIT_NAMES: ReadonlyMap<string, Split> = new Map([
  ['train', 'train'],
  ['training', 'train'],
  ['validation', 'validation'],
  ['validate', 'validation'],
  ['valid', 'validation'],
  ['val', 'validation'],
  ['test', 'test'],
]);

/** The split that a corpus calls `name`; undefined for a name that is none. */
export function splitNamed(name: string): Split | undefined {
  return SPLIT_NAMES.get(name.trim().toLowerCase());
}

export interface SplitOptions {
  /** Parts of the patients per split. Default 80 : 10 : 10. */
  readonly splits?: Readonly<Record<Split, number>>;
  /** Changes which patients fall into which split. Default 0. */
  readonly seed?: number;
}

/** The split of a patient, a pure function of its id, so that images of one patient are never in two splits. */
export function splitOfPatient(patientId: string, { splits, seed = 0 }: SplitOptions = {}): Split {
  const parts = splits ?? { train: 0.8, validation: 0.1, test: 0.1 };
  const total = parts.train + parts.validation + parts.test;
  const place = (hashString(`${seed}:${patientId}`) / 0x1_0000_0000) * total;
  if (place < parts.train) return 'train';
  return place < parts.train + parts.validation ? 'validation' : 'test';
}
