import type { Estimate, GroupSummary } from '../eval/aggregate.ts';
import type { MatchingResult } from '../eval/evaluateMatching.ts';
import { formatNumber } from '../eval/report-notes.ts';
import type { GroundingResult, MethodResult, PresetResult } from '../eval/result.ts';
import { textTable } from './textTable.ts';

/** What a terminal shows of a result: a table of all methods and a line per probe. The report has the rest. */
export function summaryLines(result: GroundingResult): string[] {
  const { counts } = result;
  const [first, ...others] = result.presets;
  const classes = Object.keys(counts.classes).length - counts.unseenClasses.length;
  return [
    '',
    `${result.model} on ${result.dataset}: ${counts.phrases} phrases in ${counts.images} images; ` +
      `means over ${classes} classes, 95 % intervals over images`,
    ...(first ? ['', ...methodTable(first), ...footnote(first), ''] : []),
    ...others.flatMap(otherPreset),
    ...(first ? [...sideSwapLine(first), ...negationLine(result), ...unseenLines(result, first)] : []),
    ...(result.matching ? matchingLines(result.matching) : []),
    result.notice,
  ];
}

const mean = ({ value }: Estimate) => formatNumber(value);
const withInterval = ({ value, low, high }: Estimate) =>
  `${formatNumber(value)} (${formatNumber(low)} to ${formatNumber(high)})`;

function methodTable({ preset, methods }: PresetResult): string[] {
  const rows = [
    [preset, 'IoU', 'Dice', 'CNR', 'Pointing'],
    ...methods.map(({ name, overall: { macro } }) => [
      name,
      withInterval(macro.iou),
      withInterval(macro.dice),
      mean(macro.cnr),
      mean(macro.pointing),
    ]),
  ];
  return textTable(rows);
}

function footnote({ methods }: PresetResult): string[] {
  return methods.some(({ kind }) => kind === 'prior')
    ? ['From the random map on, no row has seen the image; the oracles read the annotation.']
    : [];
}

function otherPreset({ preset, methods: [model] }: PresetResult): string[] {
  if (!model) return [];
  const { iou, dice } = model.overall.macro;
  return [`${preset}: IoU ${withInterval(iou)}, Dice ${withInterval(dice)}; not comparable with the table above`];
}

function sideSwapLine({ sideSwap }: PresetResult): string[] {
  if (!sideSwap) return [];
  const { phrases, iou, swappedIou, drop } = sideSwap;
  return [
    `Left and right swapped in ${phrases} phrases: IoU ${mean(iou)} becomes ${mean(swappedIou)}, a loss of ` +
      `${withInterval(drop)}${drop.low > 0 ? '' : '; no sign that the model reads the side'}`,
  ];
}

function negationLine({ negation }: GroundingResult): string[] {
  if (!negation) return [];
  const { phrases, ordered, orderedByName, peakDrop } = negation;
  const percent = ({ value }: Estimate) => `${formatNumber(100 * value, 0)} %`;
  return [
    `Finding denied ("no ...") in ${phrases} cases: its peak similarity is lower by ${withInterval(peakDrop)}, ` +
      `in ${percent(ordered)} of them; lower than that of the class's name alone in ${percent(orderedByName)}`,
  ];
}

/** The unseen classes, each with the best of the methods that don't know it either. */
function unseenLines({ counts: { unseenClasses } }: GroundingResult, { methods }: PresetResult): string[] {
  const [model, ...others] = methods;
  const iouOf = (method: MethodResult, name: string): Estimate | undefined => {
    const summary: GroupSummary | undefined = method.unseen?.overall;
    return summary?.classes[name]?.iou;
  };
  return unseenClasses.flatMap((name) => {
    const ours = model && iouOf(model, name);
    if (!model || !ours) return [];
    const dice = model.unseen?.overall.classes[name]?.dice;
    const [best] = others
      .map((method) => ({ name: method.name, iou: iouOf(method, name)?.value ?? Number.NaN }))
      .filter(({ iou }) => Number.isFinite(iou))
      .sort((a, b) => b.iou - a.iou);
    const beside = best ? `; best baseline: ${best.name}, ${formatNumber(best.iou)}` : '';
    return [
      `Never seen in training, ${name} (${ours.count} phrases): IoU ${withInterval(ours)}` +
        `${dice ? `, Dice ${mean(dice)}` : ''}${beside}`,
    ];
  });
}

/** Classification, retrieval and the decision between present and absent, a line each. */
function matchingLines({ zeroShot, retrieval, retrievalPairs, presence }: MatchingResult): string[] {
  const lines: string[] = [];
  if (presence) {
    const { calibration, sensitivity, specificity, otherSideSpecificity, auroc } = presence;
    lines.push(
      `Present or absent (${calibration.signal} similarity of ${formatNumber(calibration.threshold)}): AUROC ${withInterval(auroc)}, ` +
        `sensitivity ${mean(sensitivity)}, specificity ${mean(specificity)}, ${mean(otherSideSpecificity)} with the side exchanged`,
    );
  }
  const [prompts, pairs] = zeroShot;
  if (prompts && pairs) {
    lines.push(
      `Zero-shot classification of ${prompts.images} images: AUROC ${withInterval(prompts.macro.auroc)}, AP ${mean(prompts.macro.averagePrecision)}; ` +
        `with "There is no ..." AUROC ${mean(pairs.macro.auroc)} (chance: 0.500, AP ${formatNumber(prompts.chancePrecision)})`,
    );
  }
  const best = retrieval.at(-1);
  if (best) {
    for (const [name, direction] of [
      ['Image to report', best.imageToReport],
      ['Report to image', best.reportToImage],
    ] as const) {
      const at = direction.recall.at(-1);
      if (!at) continue;
      lines.push(
        `${name} among ${retrievalPairs}: right within ${at.at} for ${formatNumber(100 * at.estimate.value, 0)} % (chance ${formatNumber(100 * at.chance, 0)} %), ` +
          `median rank ${formatNumber(direction.medianRank.value, 1)} (chance ${formatNumber(direction.medianRankChance, 1)})`,
      );
    }
  }
  return lines;
}
