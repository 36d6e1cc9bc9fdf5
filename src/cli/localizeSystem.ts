import type { GrayImage } from '../data/types.ts';
import { describeFinding, drawFinding, type PhraseFinding } from '../eval/finding.ts';
import { DEFAULT_SIGMA } from '../eval/maps.ts';
import { RESEARCH_NOTICE } from '../eval/notice.ts';
import { writeFileAtomic } from '../io/atomic.node.ts';
import { encodePng } from '../io/png.node.ts';
import { openGpu } from './adapter.ts';
import { UsageError } from './common.ts';
import { adapterOf } from './flags.ts';
import { findingLines } from './localization.ts';
import { defaultThreshold, type LocalizeFlags, openImage, picturePaths } from './localizeCommand.ts';
import { unknownWords, unknownWordsWarning } from './phraseWords.ts';
import type { SystemName } from './systemFlags.ts';
import { type PreparedSystem, prepareSystem } from './systems.ts';

/** `groundray localize --system`: where a published system finds a phrase. */
export async function localizeSystem(system: SystemName, flags: LocalizeFlags): Promise<void> {
  const { phrase: phrases, preset, threshold = defaultThreshold } = flags;
  if (flags.run !== undefined) throw new UsageError('--run and --system name two models; give one of them.');
  const prepared = prepareSystem(system, flags);
  const unknown = phrases.map((phrase) => unknownWords(phrase, prepared.tokenizer, prepared.maxTokens));
  for (const phrase of phrases) prepared.checkPhrase(phrase);
  const pictures = picturePaths(flags);
  const image = await openImage(flags.image);
  for (const [i, phrase] of phrases.entries()) {
    const warning = unknownWordsWarning(phrase, unknown[i] ?? []);
    if (warning) process.stderr.write(`${warning}\n`);
  }
  const options = { sigma: DEFAULT_SIGMA, preset, threshold };
  const gpu = await openGpu(adapterOf(flags), false, (text) => {
    if (!flags.json) process.stdout.write(text);
  });
  try {
    const { localizer, arena } = await prepared.open(gpu);
    const results = await localizer.localize(image, phrases);
    arena.dispose();
    const findings = results.map((result, i) => describeFinding(phrases[i] ?? '', result, image, options));
    for (const [i, finding] of findings.entries()) {
      const path = pictures[i];
      if (path !== undefined) await writeFileAtomic(path, encodePng(drawFinding(image, finding, options)));
    }
    const shown = { prepared, system, flags, threshold, image, findings, unknown, pictures };
    process.stdout.write(flags.json ? toJson(shown) : toText(shown));
  } finally {
    gpu.dispose();
  }
}

interface Shown {
  readonly prepared: PreparedSystem;
  readonly system: SystemName;
  readonly flags: LocalizeFlags;
  readonly threshold: number;
  readonly image: GrayImage;
  readonly findings: readonly PhraseFinding[];
  readonly unknown: readonly (readonly string[])[];
  readonly pictures: readonly string[];
}

function toText({ prepared, flags, threshold, image, findings, pictures }: Shown): string {
  const lines = [
    `System: ${prepared.name} (${(flags.weights ?? []).join(', ')})`,
    `Image: ${flags.image}, ${image.width} x ${image.height} pixels`,
    `Threshold: ${threshold} (${flags.threshold === undefined ? 'default' : 'given'}), preset ${flags.preset}`,
    `Similarity: ${prepared.similarity}`,
    '',
    ...findings.flatMap((finding, i) => [
      ...findingLines(finding, image, threshold),
      `  picture     ${pictures[i]}`,
      '',
    ]),
    ...(flags.preset === 'paper-minmax' ? ['Each map is stretched to its own range: it says where, not whether.'] : []),
    RESEARCH_NOTICE,
  ];
  return `${lines.join('\n')}\n`;
}

function toJson({ prepared, system, flags, threshold, image, findings, unknown, pictures }: Shown): string {
  const result = {
    kind: 'groundray-localization',
    notice: RESEARCH_NOTICE,
    system,
    weights: flags.weights,
    similarity: prepared.similarity,
    image: { file: flags.image, width: image.width, height: image.height },
    preset: flags.preset,
    threshold,
    phrases: findings.map(({ map: _map, ...finding }, i) => ({
      ...finding,
      unknownWords: unknown[i] ?? [],
      picture: pictures[i] ?? null,
    })),
  };
  return `${JSON.stringify(result, null, 2)}\n`;
}
