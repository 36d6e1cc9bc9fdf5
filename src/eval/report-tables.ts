import type { MetricName, Summary } from './aggregate.ts';
import type { RescalePreset } from './maps.ts';
import { estimated, type ReportSection, type ReportTable, text } from './report-cells.ts';
import { matchingSections } from './report-matching.ts';
import { formatNumber } from './report-notes.ts';
import { peerSections } from './report-peers.ts';
import type { GroundingResult, MethodResult, PresetResult } from './result.ts';

const LABELS: Readonly<Record<MetricName, string>> = {
  iou: 'IoU',
  dice: 'Dice',
  iouNonEmpty: 'IoU, non-empty',
  diceNonEmpty: 'Dice, non-empty',
  iouBest: 'IoU, best t',
  diceBest: 'Dice, best t',
  cnr: 'CNR',
  cnrAbsolute: '|CNR|',
  pointing: 'Pointing',
  auroc: 'AUROC',
  averagePrecision: 'AP',
};

export const PRESET_NOTES: Readonly<Record<RescalePreset, string>> = {
  'paper-minmax': 'Each map is stretched to [-1, 1] by its own minimum and maximum before the thresholds.',
  'paper-cosine': 'The similarities are compared with the thresholds as they are.',
};

/** All tables of a result: a section per preset, then the probe that does not depend on the preset. */
export function reportSections(result: GroundingResult): ReportSection[] {
  const sections = result.presets.map(
    (preset): ReportSection => ({
      title: `Preset ${preset.preset}`,
      note: PRESET_NOTES[preset.preset],
      preset: preset.preset,
      tables: presetTables(result, preset),
    }),
  );
  const { negation } = result;
  if (negation) {
    sections.push({
      title: 'Negation probe',
      note: 'Every phrase against its class denied ("no pleural effusion") in the same image. A model that understands the denial answers it with a clearly lower similarity. The last column compares the denial with the name of the class alone, which differs in one word. Untrained networks can order most cases rightly by chance of their start: compare with one before its training. Similarities before smoothing and rescaling.',
      tables: [
        {
          title: '',
          note: '',
          header: [
            'Phrases',
            'Peak, phrase',
            'Peak, denied',
            'Drop of peak',
            'Drop of mean',
            'Denial below phrase',
            'Denial below name',
          ],
          rows: [
            {
              cells: [
                text(negation.phrases),
                estimated(negation.positivePeak, true),
                estimated(negation.negativePeak, true),
                estimated(negation.peakDrop, true),
                estimated(negation.meanDrop, true),
                estimated(negation.ordered, true),
                estimated(negation.orderedByName, true),
              ],
            },
          ],
        },
      ],
    });
  }
  return [
    ...sections,
    ...peerSections(result.peers ?? []),
    ...(result.matching ? matchingSections(result.matching) : []),
  ];
}

function presetTables(result: GroundingResult, { methods, differences, sideSwap }: PresetResult): ReportTable[] {
  const macroMetrics: MetricName[] = ['iou', 'dice', 'iouBest', 'diceBest', 'cnr', 'cnrAbsolute', 'pointing', 'auroc'];
  macroMetrics.push('averagePrecision');
  const [model] = methods;
  const compared = methods
    .filter(({ kind }) => kind === 'comparison')
    .map(({ name, description }) => ` ${name}: ${description}.`);
  const tables: ReportTable[] = [
    methodTable(
      'Mean over classes',
      `Thresholds, then phrases of a class, then classes. Priors never see the image; oracles read the annotated class, side and zone. A prior has no similarity of its own and is stretched to [-1, 1] under every preset.${compared.join('')}`,
      methods,
      (method) => method.overall.macro,
      macroMetrics,
    ),
    methodTable(
      'Mean over phrases',
      'Non-empty: thresholds at which a map marks nothing are left out instead of counted 0.',
      methods,
      (method) => method.overall.micro,
      ['iou', 'dice', 'iouNonEmpty', 'diceNonEmpty', 'cnr', 'pointing'],
    ),
  ];
  if (differences.length > 0) {
    tables.push({
      title: 'Model minus baseline',
      note: 'Mean over classes, paired over the same resamples of images. An interval that contains 0 means: no better than the baseline.',
      header: ['Baseline', 'IoU', 'Dice'],
      rows: differences.map(({ prior, iou, dice }) => ({
        cells: [text(prior), estimated(iou, true), estimated(dice, true)],
      })),
    });
  }
  tables.push(classTable('IoU per class', '', methods, (method) => method.overall.classes, result));
  if (sideSwap) {
    tables.push({
      title: 'Left/right swap',
      note: 'Phrases with a side, localized again with left and right exchanged, against the same mask. A model that does not read the side loses nothing.',
      header: ['Phrases', 'IoU', 'IoU, swapped', 'Drop', 'Drop, relative'],
      rows: [
        {
          cells: [
            text(sideSwap.phrases),
            estimated(sideSwap.iou, true),
            estimated(sideSwap.swappedIou, true),
            estimated(sideSwap.drop, true),
            text(Number.isFinite(sideSwap.relativeDrop) ? `${formatNumber(100 * sideSwap.relativeDrop, 0)} %` : '–'),
          ],
        },
      ],
    });
  }
  if (model?.unseen) {
    const seenNothing = 'Classes of which the training split has no phrase; not part of the means above.';
    const unseen = methods.filter((method) => method.unseen);
    tables.push(
      classTable('Classes never seen in training', seenNothing, unseen, (m) => m.unseen?.overall.classes ?? {}, result),
    );
    if (model.unseen.subgroups.length > 0) {
      tables.push(
        subgroupTable('Classes never seen in training, by attribute', unseen, (m) => m.unseen?.subgroups ?? []),
      );
    }
  }
  if (model && model.subgroups.length > 0) tables.push(subgroupTable('By attribute', methods, (m) => m.subgroups));
  return tables;
}

function methodTable(
  title: string,
  note: string,
  methods: readonly MethodResult[],
  summaryOf: (method: MethodResult) => Summary,
  metrics: readonly MetricName[],
): ReportTable {
  return {
    title,
    note,
    header: ['Method', ...metrics.map((metric) => LABELS[metric])],
    rows: methods.map((method) => ({
      emphasis: method.kind === 'model',
      cells: [
        text(method.name),
        ...metrics.map((metric) => estimated(summaryOf(method)[metric], metric === 'iou' || metric === 'dice')),
      ],
    })),
  };
}

function classTable(
  title: string,
  note: string,
  methods: readonly MethodResult[],
  classesOf: (method: MethodResult) => Readonly<Record<string, Summary>>,
  result: GroundingResult,
): ReportTable {
  const [model, ...priors] = methods;
  const classes = Object.entries(model ? classesOf(model) : {});
  return {
    title,
    note,
    header: ['Class', 'Phrases', model?.name ?? '', 'Dice', 'Pointing', ...priors.map((prior) => `IoU: ${prior.name}`)],
    rows: classes.map(([name, summary]) => ({
      cells: [
        text(name),
        text(result.counts.classes[name] ?? 0),
        estimated(summary.iou, true),
        estimated(summary.dice),
        estimated(summary.pointing),
        ...priors.map((prior) => {
          const theirs = classesOf(prior)[name];
          return theirs ? estimated(theirs.iou) : text('–');
        }),
      ],
    })),
  };
}

function subgroupTable(
  title: string,
  methods: readonly MethodResult[],
  subgroupsOf: (method: MethodResult) => MethodResult['subgroups'],
): ReportTable {
  const [model, ...priors] = methods;
  return {
    title,
    note: 'Mean over phrases. "area" splits the regions in thirds by their size.',
    header: [
      'Attribute',
      'Value',
      'Phrases',
      model?.name ?? '',
      'Dice',
      'Pointing',
      ...priors.map((p) => `IoU: ${p.name}`),
    ],
    folded: true,
    rows: (model ? subgroupsOf(model) : []).map((group, i) => ({
      cells: [
        text(group.attribute),
        text(group.value),
        text(group.phrases),
        estimated(group.summary.iou, true),
        estimated(group.summary.dice),
        estimated(group.summary.pointing),
        ...priors.map((prior) => {
          const theirs = subgroupsOf(prior)[i];
          return theirs ? estimated(theirs.summary.iou) : text('–');
        }),
      ],
    })),
  };
}
