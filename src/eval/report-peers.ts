import type { PeerMetric, PeerPreset } from './peerPresets.ts';
import type { PeerResult } from './peerResults.ts';
import { estimated, type ReportSection, type ReportTable, text } from './report-cells.ts';
import { formatNumber } from './report-notes.ts';

const NOTES: Readonly<Record<PeerPreset, string>> = {
  biovil:
    'Smoothed cosine map as it is; IoU and Dice averaged over the thresholds 0.1 to 0.5, CNR signed (Boecking et al. 2022). Priors, which are no cosines, are stretched to [-1, 1].',
  medklip:
    "Attention over the cells without smoothing, each cell a square of equal pixels; one threshold at 1.568 times the mean weight, which is 0.008 for 14x14 cells; a tie for the peak is a hit (Wu et al. 2023). The model's attention is the softmax of its cosines.",
  chexlocalize:
    'Map stretched to [0, 1]; one threshold a class, the best of 0.2 to 0.8 on validation phrases; pointing is the hit rate (Saporta et al. 2022).',
};

const METRICS: Readonly<Record<PeerPreset, readonly PeerMetric[]>> = {
  biovil: ['iou', 'dice', 'cnr'],
  medklip: ['iou', 'dice', 'pointing'],
  chexlocalize: ['iou', 'dice', 'pointing'],
};

const LABELS: Readonly<Record<PeerMetric, string>> = { iou: 'IoU', dice: 'Dice', cnr: 'CNR', pointing: 'Pointing' };

/** One section with a table per peer; nothing where the peers' protocols were not measured. */
export function peerSections(peers: readonly PeerResult[]): ReportSection[] {
  if (peers.length === 0) return [];
  return [
    {
      title: "The peers' protocols",
      note: 'The same maps by other rules, to be set beside the figures that the peers print and beside nothing else. All classes are in the means, also those that training never showed.',
      tables: peers.map(peerTable),
    },
  ];
}

function peerTable({ preset, methods }: PeerResult): ReportTable {
  const metrics = METRICS[preset];
  return {
    title: preset,
    note: NOTES[preset],
    header: [
      'Method',
      ...metrics.map((metric) => `${LABELS[metric]}, phrases`),
      ...metrics.map((metric) => `${LABELS[metric]}, classes`),
    ],
    rows: methods.map(({ name, micro, macro }, i) => ({
      emphasis: i === 0,
      cells: [
        text(name),
        ...metrics.map((metric) => estimated(micro[metric], true)),
        ...metrics.map((metric) => text(formatNumber(macro[metric]))),
      ],
    })),
  };
}
