import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, extname, join, resolve } from 'node:path';
import { z } from 'zod';
import type { GrayImage } from '../data/types.ts';
import { describeFinding, drawFinding, type FindingOptions, type PhraseFinding } from '../eval/finding.ts';
import type { RescalePreset } from '../eval/maps.ts';
import { ModelLocalizer } from '../eval/modelLocalizer.ts';
import { RESEARCH_NOTICE } from '../eval/notice.ts';
import type { PresenceCalibration } from '../eval/presence.ts';
import { writeFileAtomic } from '../io/atomic.node.ts';
import { readImage } from '../io/image.node.ts';
import { encodePng } from '../io/png.node.ts';
import { readCalibration } from '../train/calibration.node.ts';
import type { RunDescription } from '../train/runFolder.node.ts';
import { openGpu } from './adapter.ts';
import { UsageError } from './common.ts';
import { type AdapterFlags, adapterOf } from './flags.ts';
import { findingLines } from './localization.ts';
import { unknownWords, unknownWordsWarning } from './phraseWords.ts';
import type { SystemFlags } from './systemFlags.ts';
import { findTrainedRun, loadTrainedModel } from './trainedModel.ts';

/** Flags of `groundray localize`, as commander gives them. */
export interface LocalizeFlags extends AdapterFlags, SystemFlags {
  readonly run?: string;
  readonly image: string;
  readonly phrase: readonly string[];
  readonly out?: string;
  readonly preset: RescalePreset;
  readonly threshold?: number;
  readonly json?: boolean;
}

export const defaultThreshold = 0.3;

export interface Threshold {
  readonly value: number;
  readonly source: string;
}

/** `groundray localize` */
export async function localize(flags: LocalizeFlags): Promise<void> {
  const { phrase: phrases, preset } = flags;
  // Everything that can be wrong is found before the device is made and before a file is written.
  const run = findTrainedRun(flags.run);
  const unknown = phrases.map((phrase) => unknownWords(phrase, run.tokenizer, run.config.maxTokens));
  const pictures = picturePaths(flags);
  const image = await openImage(flags.image);
  const threshold = chooseThreshold(flags.threshold, run, preset);
  for (const [i, phrase] of phrases.entries()) {
    const warning = unknownWordsWarning(phrase, unknown[i] ?? []);
    if (warning) process.stderr.write(`${warning}\n`);
  }
  const calibration = await readCalibration(run.folder);
  const options = { sigma: run.config.sigma, preset, threshold: threshold.value, calibration };
  const { findings, step } = await findPhrases(flags, run, image, options);
  for (const [i, finding] of findings.entries()) {
    const path = pictures[i];
    if (path !== undefined) await writeFileAtomic(path, encodePng(drawFinding(image, finding, options)));
  }
  process.stdout.write(
    flags.json
      ? toJson(flags, run, step, image, options, threshold, findings, unknown, pictures)
      : toText(flags, run, step, image, options, threshold, findings, pictures),
  );
}

export async function openImage(path: string): Promise<GrayImage> {
  if (!existsSync(path)) throw new UsageError(`--image ${path}: there is no such file.`);
  if (statSync(path).isDirectory())
    throw new UsageError(`--image ${path}: expected a PNG, JPEG or DICOM file, found a folder.`);
  return readImage(path);
}

/** A path per phrase; none with --json alone. */
export function picturePaths({ out, json, image, phrase }: LocalizeFlags): string[] {
  if (out === undefined && json) return [];
  const path = out ?? `${basename(image, extname(image))}-localized.png`;
  if (extname(path).toLowerCase() !== '.png') throw new UsageError(`--out ${path}: expected a name that ends in .png.`);
  const stem = path.slice(0, -extname(path).length);
  const paths = phrase.length === 1 ? [path] : phrase.map((_, i) => `${stem}-${i + 1}.png`);
  const same = paths.find((candidate) => resolve(candidate) === resolve(image));
  if (same) throw new UsageError(`--out ${same} would replace the image itself; choose another name.`);
  return paths;
}

const reportSchema = z.object({
  presets: z.array(
    z.object({ preset: z.string(), methods: z.array(z.object({ bestThreshold: z.number().optional() })).min(1) }),
  ),
});

/** The threshold that was asked for, else the one that the run's evaluation found best on validation phrases. */
export function chooseThreshold(given: number | undefined, run: RunDescription, preset: RescalePreset): Threshold {
  if (given !== undefined) return { value: given, source: 'given' };
  const fallback = { value: defaultThreshold, source: 'default' };
  const path = join(run.folder, 'evaluation', 'report.json');
  if (!existsSync(path)) return fallback;
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return fallback;
  }
  const report = reportSchema.safeParse(json);
  const best = report.data?.presets.find((entry) => entry.preset === preset)?.methods[0]?.bestThreshold;
  return best === undefined ? fallback : { value: best, source: "best on validation phrases in the run's evaluation" };
}

async function findPhrases(
  flags: LocalizeFlags,
  run: RunDescription,
  image: GrayImage,
  options: FindingOptions,
): Promise<{ findings: PhraseFinding[]; step: number }> {
  const gpu = await openGpu(adapterOf(flags), false, (text) => {
    if (!flags.json) process.stdout.write(text);
  });
  try {
    const { model, arena, step } = loadTrainedModel(gpu, run);
    const localizer = new ModelLocalizer(gpu, model, run.tokenizer, run.config);
    const results = await localizer.localize(image, flags.phrase);
    arena.dispose();
    const findings = results.map((result, i) => describeFinding(flags.phrase[i] ?? '', result, image, options));
    return { findings, step };
  } finally {
    gpu.dispose();
  }
}

function toText(
  { image: file, preset }: LocalizeFlags,
  run: RunDescription,
  step: number,
  image: GrayImage,
  { calibration }: FindingOptions,
  threshold: Threshold,
  findings: readonly PhraseFinding[],
  pictures: readonly string[],
): string {
  const lines = [
    `Run: ${run.folder}, after ${step} steps`,
    `Image: ${file}, ${image.width} x ${image.height} pixels`,
    `Threshold: ${threshold.value} (${threshold.source}), preset ${preset}`,
    ...(calibration ? [describeCalibration(calibration)] : []),
    '',
    ...findings.flatMap((finding, i) => [
      ...findingLines(finding, image, threshold.value),
      `  picture     ${pictures[i]}`,
      '',
    ]),
    ...(preset === 'paper-minmax' ? ['Each map is stretched to its own range: it says where, not whether.'] : []),
    ...(findings.some(({ presence }) => !presence)
      ? [`"present" and "absent" need a threshold: npm run evaluate -- --run ${run.folder} finds one.`]
      : []),
    RESEARCH_NOTICE,
  ];
  return `${lines.join('\n')}\n`;
}

/** How far "present" and "absent" can be trusted. */
function describeCalibration({ signal, threshold, sensitivity, specificity, phrases }: PresenceCalibration): string {
  return (
    `Present from ${threshold.toFixed(3)} on (${signal} similarity; of ${phrases} validation phrases it finds ` +
    `${(100 * sensitivity).toFixed(0)} % of the present ones and rejects ${(100 * specificity).toFixed(0)} % of the absent ones)`
  );
}

function toJson(
  { image: file, preset }: LocalizeFlags,
  run: RunDescription,
  step: number,
  image: GrayImage,
  { calibration = null }: { readonly calibration?: PresenceCalibration | null | undefined },
  threshold: Threshold,
  findings: readonly PhraseFinding[],
  unknown: readonly (readonly string[])[],
  pictures: readonly string[],
): string {
  const result = {
    kind: 'groundray-localization',
    notice: RESEARCH_NOTICE,
    run: run.folder,
    step,
    image: { file, width: image.width, height: image.height },
    preset,
    threshold: threshold.value,
    thresholdSource: threshold.source,
    calibration,
    phrases: findings.map(({ map: _map, ...finding }, i) => ({
      ...finding,
      unknownWords: unknown[i] ?? [],
      picture: pictures[i] ?? null,
    })),
  };
  return `${JSON.stringify(result, null, 2)}\n`;
}
