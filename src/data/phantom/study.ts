/** One phantom study: anatomy, pose, findings and report, a pure function of (seed, split, index). */
import { createRandom, type Random } from '../random.ts';
import type { Mask, Split } from '../types.ts';
import { type Anatomy, type BodySide, canonicalToImage, type Pose, sampleAnatomy, samplePose } from './anatomy.ts';
import { absentCategories, type Wording, wordFiller, wordFinding, wordNegation, wordShort } from './grammar.ts';
import {
  type Category,
  type Finding,
  insideLungs,
  type Lesion,
  sampleFinding,
  shapeLesion,
  TRAINED_CATEGORIES,
  UNSEEN_CATEGORY,
} from './lesions.ts';
import type { Scene } from './render.ts';

/** A lesion with the words that its report has for it. */
export interface PhantomLesion {
  readonly lesion: Lesion;
  readonly wording: Wording;
}

export interface PhantomStudy {
  readonly id: string;
  readonly split: Split;
  readonly scene: Scene;
  readonly lesions: readonly PhantomLesion[];
  /** Classes that the report denies. */
  readonly denied: readonly Category[];
  readonly report: string;
}

/** Masks below this many pixels at 64 x 64 are too small to ask for: the lesion is not drawn at all. */
const SMALLEST_MASK = 6;
/** Of the lesions in the test split, the part that belongs to the class training never saw. */
const UNSEEN_SHARE = 0.12;

export function phantomStudy(seed: number, split: Split, index: number): PhantomStudy {
  const random = createRandom(seed).fork(split).fork(index);
  const anatomy = sampleAnatomy(random.fork('anatomy'));
  const pose = samplePose(random.fork('pose'));
  const shapes = random.fork('shapes');
  const findings = sampleFindings(random.fork('findings'), split);
  const lesions = findings
    .map((finding, i) => shapeLesion(shapes.fork(i), anatomy, finding))
    .filter((lesion) => maskIsLargeEnough(anatomy, pose, lesion));
  const words = random.fork('report');
  const worded = lesions.map((lesion) => ({
    lesion,
    // Two findings of one class can be told apart by their side alone.
    wording: wordFinding(words, lesion, lesions.filter((other) => other.category === lesion.category).length > 1),
  }));
  return {
    id: `phantom-${seed}-${split}-${String(index).padStart(5, '0')}`,
    split,
    scene: { anatomy, pose, lesions, noiseSeed: random.fork('noise').uint32() },
    lesions: worded,
    ...composeReport(words, worded),
  };
}

function sampleFindings(random: Random, split: Split): Finding[] {
  const count = random.weighted([0.1, 0.4, 0.35, 0.15]);
  const findings: Finding[] = [];
  for (let attempt = 0; findings.length < count && attempt < 40; attempt++) {
    const first = findings[0];
    const side: BodySide = random.chance(0.5) ? 'left' : 'right';
    if (findings.length === 1 && first && (first.side === 'left' || first.side === 'right') && random.chance(0.12)) {
      // The same class on the other side: here the side word alone decides.
      findings.push(sampleFinding(random, first.category, first.side === 'left' ? 'right' : 'left'));
      continue;
    }
    const unseen = split === 'test' && random.chance(UNSEEN_SHARE);
    const candidate = sampleFinding(random, unseen ? UNSEEN_CATEGORY : random.pick(TRAINED_CATEGORIES), side);
    if (findings.every((other) => canCoexist(other, candidate))) findings.push(candidate);
  }
  return findings;
}

/** Different classes in different places, so that each phrase has one region. */
function canCoexist(a: Finding, b: Finding): boolean {
  if (a.category === b.category) return false;
  if (a.side === 'both' && b.side === 'both') return false;
  const samePlace = a.side === b.side && (a.zone === b.zone || [a, b].some((f) => f.category === 'pneumothorax'));
  return !samePlace;
}

/** Counts mask pixels on the 64 x 64 frame, stopping at the limit. */
function maskIsLargeEnough(anatomy: Anatomy, pose: Pose, lesion: Lesion): boolean {
  // In canonical space a pixel of the frame is 1 / (64 scale) wide; the frame's rotation does not change areas.
  const step = 1 / (64 * pose.scale);
  let count = 0;
  for (let y = step / 2; y < 1; y += step) {
    for (let x = step / 2; x < 1; x += step) {
      if (lesion.alpha(x, y) <= 0.4) continue;
      if (!lesion.wholeChest && insideLungs(anatomy, x, y) <= 0.5) continue;
      const [u, v] = canonicalToImage(pose, x, y);
      if (u < 0 || u >= 1 || v < 0 || v >= 1) continue;
      if (++count >= 2 * SMALLEST_MASK) return true;
    }
  }
  return false;
}

function composeReport(random: Random, lesions: readonly PhantomLesion[]): Pick<PhantomStudy, 'report' | 'denied'> {
  const findings = lesions.map(({ lesion }) => lesion);
  const denied = random.shuffle(absentCategories(findings)).slice(0, random.int(1, 4));
  const sentences = lesions.map(({ wording }) => wording.sentence);
  for (let i = 0; i < denied.length; ) {
    const together = denied.length - i >= 2 && random.chance(0.4) ? 2 : 1;
    sentences.push(wordNegation(random, denied.slice(i, i + together)));
    i += together;
  }
  if (!denied.includes('cardiomegaly') && findings.every((f) => f.category !== 'cardiomegaly') && random.chance(0.3)) {
    sentences.push('Heart size is normal.');
  }
  if (random.chance(0.6)) sentences.push(wordFiller(random));
  const body = random.shuffle(sentences).join(' ');
  const impression = composeImpression(random, findings);
  const report = impression === '' ? `FINDINGS: ${body}` : `FINDINGS: ${body}\n\nIMPRESSION: ${impression}`;
  return { report, denied };
}

function composeImpression(random: Random, findings: readonly Finding[]): string {
  if (random.chance(0.45)) return '';
  if (findings.length === 0) return 'No acute cardiopulmonary process.';
  const repeated = (f: Finding): boolean => findings.filter((other) => other.category === f.category).length > 1;
  const points = findings.map((finding) => `${wordShort(random, finding, repeated(finding))}.`);
  if (points.length > 1 && random.chance(0.5)) return points.map((point, i) => `${i + 1}. ${point}`).join(' ');
  return points.join(' ');
}

/** Signed distance of an image point from the patient's midline; negative on the patient's right. */
export function distanceFromMidline(pose: Pose, x: number, y: number): number {
  return pose.cos * (x - 0.5 - pose.shiftX) + pose.sin * (y - 0.5 - pose.shiftY);
}

/** Share of a mask's pixels on the patient's left of the midline; NaN for an empty mask. */
export function shareOnPatientLeft(pose: Pose, mask: Mask): number {
  let left = 0;
  let all = 0;
  mask.data.forEach((value, i) => {
    if (value === 0) return;
    all++;
    const x = ((i % mask.width) + 0.5) / mask.width;
    const y = (Math.floor(i / mask.width) + 0.5) / mask.height;
    if (distanceFromMidline(pose, x, y) > 0) left++;
  });
  return left / all;
}
