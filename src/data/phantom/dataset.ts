/** The phantom corpus as a `Dataset`: nothing is stored, every image and mask is drawn when asked for. */
import type { Dataset, GroundedPhrase, Split, Study } from '../types.ts';
import { PNEUMONIA_QUERY } from './grammar.ts';
import { UNSEEN_CATEGORY } from './lesions.ts';
import { renderImage, renderMask } from './render.ts';
import { type PhantomLesion, type PhantomStudy, phantomStudy } from './study.ts';

/** How many synthetic radiographs there are, and of which size. */
export interface PhantomOptions {
  /** Default 0. The same seed gives the same corpus everywhere. */
  readonly seed?: number;
  /** Number of studies over all splits. */
  readonly count: number;
  /** Width and height of the images in pixels, at least 32. Default 64. */
  readonly size?: number;
  /** Relative sizes of the splits; each non-zero one gets at least one study. Default 80 : 10 : 10. */
  readonly splits?: Readonly<Record<Split, number>>;
}

const DEFAULT_SPLITS: Readonly<Record<Split, number>> = { train: 0.8, validation: 0.1, test: 0.1 };

/**
 * Builds the corpus. Study `i` of a split depends on (seed, split, i) alone, so a larger corpus contains the smaller one.
 * The class `covid-like` occurs in the test split only. Throws RangeError for a count or size that cannot be used.
 */
export function phantomDataset(options: PhantomOptions): Dataset {
  const { seed = 0, count, size = 64, splits = DEFAULT_SPLITS } = options;
  if (!Number.isInteger(count) || count < 1) {
    throw new RangeError(`The phantom corpus needs a whole number of studies, 1 or more; found ${count}.`);
  }
  if (!Number.isInteger(size) || size < 32) {
    throw new RangeError(`Phantom images need a whole size of 32 pixels or more; found ${size}.`);
  }
  const sizes = splitSizes(count, splits);
  const phantoms = new Map<string, PhantomStudy>();
  for (const split of ['train', 'validation', 'test'] as const) {
    for (let i = 0; i < sizes[split]; i++) {
      const phantom = phantomStudy(seed, split, i);
      phantoms.set(phantom.id, phantom);
    }
  }
  const find = (studyId: string): PhantomStudy => {
    const phantom = phantoms.get(studyId);
    if (phantom === undefined) {
      throw new RangeError(`There is no study "${studyId}" in this phantom corpus (seed ${seed}, ${count} studies).`);
    }
    return phantom;
  };
  return {
    name: `phantom-${seed}`,
    studies: [...phantoms.values()].map(toStudy),
    phrases: [...phantoms.values()].flatMap((phantom) => toPhrases(phantom, size)),
    phrasesAreComplete: true,
    loadImage: async (studyId) => renderImage(find(studyId).scene, size),
  };
}

function toStudy({ id, split, report }: PhantomStudy): Study {
  return { id, patientId: id, split, report };
}

function toPhrases(phantom: PhantomStudy, size: number): GroundedPhrase[] {
  return phantom.lesions.flatMap((item) => {
    const phrase = toPhrase(phantom, item, size);
    if (item.lesion.category !== UNSEEN_CATEGORY) return [phrase];
    const attributes = { ...phrase.attributes, phraseKind: 'pneumonia-query' };
    return [phrase, { ...phrase, phrase: PNEUMONIA_QUERY, attributes }];
  });
}

function toPhrase(phantom: PhantomStudy, { lesion, wording }: PhantomLesion, size: number): GroundedPhrase {
  return {
    studyId: phantom.id,
    phrase: wording.phrase,
    sentence: wording.sentence,
    category: lesion.category,
    attributes: {
      side: lesion.side,
      zone: lesion.zone,
      size: lesion.size,
      severity: lesion.severity,
      phraseKind: wording.kind,
    },
    loadMask: async () => renderMask(phantom.scene, lesion, size),
  };
}

function splitSizes(count: number, splits: Readonly<Record<Split, number>>): Record<Split, number> {
  const names = ['train', 'validation', 'test'] as const;
  const total = names.reduce((sum, name) => sum + splits[name], 0);
  if (!(total > 0) || names.some((name) => splits[name] < 0)) {
    throw new RangeError(`Split sizes must not be negative and one must be positive; found ${JSON.stringify(splits)}.`);
  }
  const part = (name: Split): number =>
    splits[name] === 0 ? 0 : Math.max(1, Math.round((count * splits[name]) / total));
  const validation = part('validation');
  const test = part('test');
  const train = splits.train === 0 ? 0 : count - validation - test;
  if (train < 0 || (splits.train > 0 && train === 0)) {
    throw new RangeError(
      `${count} studies are too few for the splits ${JSON.stringify(splits)}: train would be empty.`,
    );
  }
  return { train, validation, test };
}
