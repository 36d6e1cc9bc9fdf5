import type { GroundingResult } from './result.ts';

/** A fixed number of decimals, a dash for what is not defined. Three are more than a few hundred phrases support. */
export function formatNumber(value: number, digits = 3): string {
  return Number.isFinite(value) ? value.toFixed(digits) : '–';
}

/** How the figures came about, in sentences. */
export function protocolNotes(result: GroundingResult): string[] {
  const { protocol, counts } = result;
  const percent = (share: number) => `${formatNumber(100 * share, 1)} %`;
  const best = result.presets.flatMap(({ preset, methods }) => {
    const threshold = methods[0]?.bestThreshold;
    return threshold === undefined ? [] : [`${threshold} (${preset})`];
  });
  return [
    `${counts.phrases} phrases in ${counts.images} images of ${result.dataset}; ${counts.emptyGroundTruth} more have nothing marked and were left out.`,
    `Similarity grid ${protocol.grid.width}x${protocol.grid.height}, Gaussian sigma ${protocol.sigma} cells (radius ${protocol.radius}), bilinear to the frame of the mask, masks compared at a longest side of at most ${protocol.evaluationSide} pixels.`,
    `IoU and Dice: mean over the thresholds ${protocol.thresholds.join(', ')} (strictly greater), a prediction that marks nothing counts 0.`,
    best.length > 0
      ? `Best t: the threshold with the best IoU on ${counts.validationPhrases} validation phrases, ${best.join(' and ')} for the model, each method its own.`
      : 'No validation phrases: no best threshold was chosen.',
    `Intervals: 95 %, ${protocol.resamples} bootstrap resamples over images, seed ${protocol.seed}.`,
    `Small regions cover up to ${percent(counts.sizeLimits[0])} of the image, medium ones up to ${percent(counts.sizeLimits[1])}.`,
    'Figures of different presets, datasets or thresholds must not be compared with each other.',
  ];
}
