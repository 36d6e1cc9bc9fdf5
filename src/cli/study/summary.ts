import { formatNumber } from '../../eval/report-notes.ts';
import type { ConditionResult, PairDifference, StudyResult } from '../../eval/study/result.ts';
import type { Spread } from '../../eval/study/spread.ts';
import { textTable } from '../textTable.ts';

const spread = ({ mean, deviation }: Spread) =>
  Number.isFinite(deviation) ? `${formatNumber(mean)} ±${formatNumber(deviation)}` : formatNumber(mean);
const orDash = (value: Spread | undefined) => (value ? spread(value) : '–');

/** What a terminal shows of a study: a table per preset, and the differences of IoU. `study.md` has the rest. */
export function studyLines(result: StudyResult): string[] {
  const { seeds, counts } = result;
  const presets = result.conditions[0]?.presets.map(({ preset }) => preset) ?? [];
  return [
    '',
    `${result.dataset}: ${counts.phrases} phrases in ${counts.images} images; mean ± standard deviation over ` +
      `${seeds.length} ${seeds.length === 1 ? 'seed' : 'seeds'}`,
    ...presets.flatMap((preset) => ['', ...presetTable(result.conditions, preset), ...priorLine(result, preset)]),
    '',
    ...result.differences.filter(({ preset }) => preset === presets[0]).flatMap(differenceLine),
    '',
    result.notice,
  ];
}

function presetTable(conditions: readonly ConditionResult[], preset: string): string[] {
  return textTable([
    [preset, 'IoU', 'Dice', 'CNR', 'Pointing', 'IoU unseen', 'Fall by swap', 'Denial below name'],
    ...conditions.map(({ name, presets, negation }) => {
      const found = presets.find((entry) => entry.preset === preset);
      return [
        name,
        ...[found?.seen.iou, found?.seen.dice, found?.seen.cnr, found?.seen.pointing].map(orDash),
        ...[found?.unseen?.iou, found?.sideSwap?.drop, negation?.orderedByName].map(orDash),
      ];
    }),
  ]);
}

function priorLine({ priors }: StudyResult, preset: string): string[] {
  const best = priors.filter((prior) => prior.preset === preset);
  if (best.length === 0) return [];
  const parts = best.map(({ classes, name, iou }) => `${name} ${formatNumber(iou)} (${classes})`);
  return [`Best priors that never see the image, IoU: ${parts.join(', ')}`];
}

function differenceLine({ minuend, subtrahend, seeds, measures }: PairDifference): string[] {
  const iou = measures.find(({ measure }) => measure === 'IoU');
  if (!iou) return [];
  const { value, low, high } = iou.difference;
  const above = iou.perSeed.filter((difference) => difference > 0).length;
  return [
    `${minuend} - ${subtrahend}: IoU ${formatNumber(value)} (${formatNumber(low)} to ${formatNumber(high)}), ` +
      `above 0 for ${above} of ${seeds.length} seeds`,
  ];
}
