import { type MetricName, macroDifference } from './aggregate.ts';
import { resampleImages } from './bootstrap.ts';
import type { GroundingResult, PresetResult } from './result.ts';

/**
 * Puts the model of another result as a further method behind the model of `result`, e.g. the same network before
 * training, with the differences of the two, paired over the same resamples of images.
 *
 * @param other Measured on the same phrases with the same protocol.
 * @throws RangeError when the two did not measure the same.
 */
export function withComparison(result: GroundingResult, other: GroundingResult, description: string): GroundingResult {
  const { resamples, seed } = result.protocol;
  const images = result.presets[0]?.methods[0]?.rows.map(({ studyId }) => studyId) ?? [];
  const draws = resampleImages(images, resamples, seed);
  const isSeen = ({ category }: { readonly category: string }) => !result.counts.unseenClasses.includes(category);

  const merged = (preset: PresetResult): PresetResult => {
    const [model, ...priors] = preset.methods;
    const compared = other.presets.find((entry) => entry.preset === preset.preset)?.methods[0];
    if (!model || !compared || !samePhrases(model.rows, compared.rows)) {
      throw new RangeError(
        `${result.model} and ${other.model} cannot be compared under ${preset.preset}: they were measured on ${model?.rows.length ?? 0} and ${compared?.rows.length ?? 0} phrases that are not the same.`,
      );
    }
    const [ours, theirs] = [model.rows.filter(isSeen), compared.rows.filter(isSeen)];
    const difference = (metric: MetricName) => macroDifference(ours, theirs, metric, draws);
    return {
      ...preset,
      methods: [model, { ...compared, kind: 'comparison', description }, ...priors],
      differences: [{ prior: compared.name, iou: difference('iou'), dice: difference('dice') }, ...preset.differences],
    };
  };
  return { ...result, presets: result.presets.map(merged) };
}

type Row = PresetResult['methods'][number]['rows'][number];

function samePhrases(ours: readonly Row[], theirs: readonly Row[]): boolean {
  const same = (a: Row, b: Row | undefined) => a.studyId === b?.studyId && a.phrase === b.phrase;
  return ours.length === theirs.length && ours.every((row, i) => same(row, theirs[i]));
}
