import { computed, signal } from '@preact/signals';
import { samePhrase } from '../../src/data/annotations/annotation.ts';
import { DataError } from '../../src/data/errors.ts';
import { uniteMasks } from '../../src/data/regions.ts';
import type { Mask } from '../../src/data/types.ts';
import { EVALUATION_SIDE } from '../../src/eval/agreement.ts';
import { reduceMask } from '../../src/eval/masks.ts';
import type { OpenedImage, TruthFinding } from './images.ts';
import { mostPixels } from './picture.ts';
import { attempt } from './session.ts';
import { announcement, opened, showKnown } from './state.ts';
import { engine } from './workers.ts';

/** Ground truth that a person gave for one image. */
export interface GivenTruth {
  readonly opened: OpenedImage;
  /** Of the files that it came in. */
  readonly names: readonly string[];
  readonly findings: readonly TruthFinding[];
}

const given = signal<GivenTruth | undefined>(undefined);

/** What was given for the opened image; it is gone with the image. */
export const truth = computed(() => (given.value?.opened === opened.value ? given.value : undefined));

/** What is known of the opened image: what was given, else what a sample was drawn with. */
export const knownFindings = computed<readonly TruthFinding[]>(
  () => truth.value?.findings ?? opened.value?.known ?? [],
);

/** Takes masks and annotations as the ground truth of the opened image, in place of those before. */
export function giveTruth(files: readonly File[]): Promise<void> {
  return attempt(async () => {
    const image = opened.value;
    if (!image || files.length === 0) return;
    const { width, height } = image.image;
    const findings = await engine.openTruth(files, { name: image.name, width, height });
    if (opened.value !== image) {
      throw new DataError(`Another image was opened meanwhile; give the ground truth of ${opened.value?.name} again.`);
    }
    given.value = { opened: image, names: files.map(({ name }) => name), findings };
    showKnown.value = true;
    announcement.value = `Took ${files.map(({ name }) => name).join(', ')} as the ground truth of ${image.name}.`;
  });
}

export function removeTruth(): void {
  given.value = undefined;
  announcement.value = 'Removed the ground truth.';
}

/** A mask at the sizes that it is used at. */
export interface TruthMask {
  /** Of the picture. */
  readonly shown: Mask;
  /** As evaluation compares it. */
  readonly measured: Mask;
}

const prepared = new WeakMap<readonly TruthFinding[], Map<string, TruthMask>>();

/** The place of a phrase in an image; undefined where it is not known. The same object for the same findings. */
export function truthMask(findings: readonly TruthFinding[], phrase: string): TruthMask | undefined {
  const own = findings.filter((finding) => finding.phrase === undefined || samePhrase(finding.phrase, phrase));
  if (own.length === 0) return undefined;
  const key = own.map((finding) => findings.indexOf(finding)).join();
  const known = prepared.get(findings) ?? new Map<string, TruthMask>();
  prepared.set(findings, known);
  const before = known.get(key);
  if (before) return before;
  const whole = uniteMasks(own.map(({ mask }) => mask));
  const made = { shown: reduceMask(whole, mostPixels), measured: reduceMask(whole, EVALUATION_SIDE) };
  known.set(key, made);
  return made;
}
