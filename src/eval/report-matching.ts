import type { MatchingResult } from './evaluateMatching.ts';
import type { PresenceResult } from './presence.ts';
import { estimated, type ReportSection, type ReportTable, text } from './report-cells.ts';
import { formatNumber } from './report-notes.ts';
import type { RetrievalDirection } from './retrieval.ts';
import type { ZeroShotResult, ZeroShotScheme } from './zeroShot.ts';

/** Sections on whole images and texts: classification, retrieval, present or absent. */
export function matchingSections(matching: MatchingResult): ReportSection[] {
  return [...presenceSection(matching), ...zeroShotSection(matching), ...retrievalSection(matching)];
}

function presenceSection({ presence }: MatchingResult): ReportSection[] {
  if (!presence) return [];
  const { calibration: found, counts } = presence;
  return [
    {
      title: 'Present or absent',
      note:
        `A map that is stretched to its own range always lights up somewhere. Whether the phrase is in the image at all is decided apart: ${signalName(presence)} of at least ${formatNumber(found.threshold)} counts as present. ` +
        `Signal and threshold were chosen on ${found.phrases} validation phrases of ${found.dataset} (largest AUROC, then Youden's J), with sensitivity ${formatNumber(found.sensitivity)} and specificity ${formatNumber(found.specificity)} there. ` +
        'Absent phrases were said of other images and name a class that this image lacks. Phrases with the side exchanged are harder, and not part of the specificity.',
      tables: [
        {
          title: '',
          note: '',
          header: ['Asked', 'Phrases', 'Figure', 'Value'],
          rows: [
            ['present', counts.present, 'sensitivity', presence.sensitivity] as const,
            ['absent class', counts.absent, 'specificity', presence.specificity] as const,
            ['side exchanged', counts['other-side'], 'specificity', presence.otherSideSpecificity] as const,
            ['present and absent', counts.present + counts.absent, 'AUROC', presence.auroc] as const,
          ].map(([asked, count, figure, estimate]) => ({
            cells: [text(asked), text(count), text(figure), estimated(estimate, true)],
          })),
        },
      ],
    },
  ];
}

export function signalName({ calibration: { signal, sigma } }: Pick<PresenceResult, 'calibration'>): string {
  return signal === 'global'
    ? 'a cosine of the whole image with the phrase'
    : `a peak of the cosine map (sigma ${sigma} cells)`;
}

const SCHEMES: Readonly<Record<ZeroShotScheme, readonly [title: string, note: string]>> = {
  prompts: ['Several prompts a class', 'Score: the best prompt of the class.'],
  pairs: ['Pairs', 'Score: "There is ..." minus "There is no ...".'],
};

function zeroShotSection({ zeroShot, unseenClasses, labelsAreComplete }: MatchingResult): ReportSection[] {
  const [first] = zeroShot;
  if (!first) return [];
  const labels = labelsAreComplete
    ? ''
    : ' A class that no phrase of an image names is taken to be absent, which the data do not say for sure.';
  return [
    {
      title: 'Zero-shot classification',
      note: `${first.images} images. Scores are the mean of the global and the local similarity, each standardised over the validation images; the threshold is that of the best F1 on ${first.validationImages} validation images. Chance: AUROC 0.500, AP ${formatNumber(first.chancePrecision)}.${labels}`,
      tables: zeroShot.map((result) => zeroShotTable(result, unseenClasses)),
    },
  ];
}

function zeroShotTable({ scheme, classes, macro }: ZeroShotResult, unseen: readonly string[]): ReportTable {
  const [title, note] = SCHEMES[scheme];
  const row = (name: string, positives: string | number, figures: ZeroShotResult['macro']) => [
    text(name),
    text(positives),
    estimated(figures.auroc, true),
    estimated(figures.averagePrecision, true),
    estimated(figures.accuracy),
    estimated(figures.f1),
  ];
  return {
    title,
    note,
    header: ['Class', 'Images', 'AUROC', 'AP', 'Accuracy', 'F1'],
    rows: [
      { emphasis: true, cells: row('mean over classes', '', macro) },
      ...Object.entries(classes).map(([name, quality]) => ({
        cells: row(
          unseen.includes(name) ? `${name} (never seen in training, not in the mean)` : name,
          quality.positives,
          quality,
        ),
      })),
    ],
  };
}

function retrievalSection({ retrieval, retrievalPairs, distinctReports }: MatchingResult): ReportSection[] {
  const [first] = retrieval;
  if (!first) return [];
  const columns = (direction: RetrievalDirection) => [
    ...direction.recall.map(({ at }) => `R@${at}`),
    'Median rank',
    ...direction.precision.map(({ at }) => `P@${at}`),
  ];
  const table = (title: string, of: (result: (typeof retrieval)[number]) => RetrievalDirection): ReportTable => {
    const chance = of(first);
    return {
      title,
      note: '',
      header: ['Similarity', ...columns(chance)],
      rows: [
        ...retrieval.map((result) => ({
          emphasis: result.similarity === 'both',
          cells: [text(result.similarity), ...figures(of(result))],
        })),
        {
          cells: [
            text('chance'),
            ...chance.recall.map((entry) => text(formatNumber(entry.chance))),
            text(formatNumber(chance.medianRankChance, 1)),
            ...chance.precision.map((entry) => text(formatNumber(entry.chance))),
          ],
        },
      ],
    };
  };
  const figures = (direction: RetrievalDirection) => [
    ...direction.recall.map(({ estimate }) => estimated(estimate, true)),
    {
      ...estimated(direction.medianRank),
      text: formatNumber(direction.medianRank.value, 1),
      interval: `${formatNumber(direction.medianRank.low, 1)} to ${formatNumber(direction.medianRank.high, 1)}`,
    },
    ...direction.precision.map(({ estimate }) => estimated(estimate, true)),
  ];
  return [
    {
      title: 'Retrieval',
      note: `${retrievalPairs} pairs with ${distinctReports} distinct reports; any report with the same words as the right one is right. Recall: share of queries with a right answer among the first k. P@k: share of the first k answers that have a class in common with the query (or, like it, none), its own partner left out.`,
      tables: [
        table('Image to report', ({ imageToReport }) => imageToReport),
        table('Report to image', ({ reportToImage }) => reportToImage),
      ],
    },
  ];
}
