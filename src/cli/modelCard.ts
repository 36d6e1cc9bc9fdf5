import type { Dataset } from '../data/types.ts';
import { RESEARCH_NOTICE } from '../eval/notice.ts';
import type { GroundingResult, MethodResult } from '../eval/result.ts';
import type { RunConfig } from '../train/config.ts';

export interface ModelCardFacts {
  /** Name of the weight file that the card lies beside. */
  readonly file: string;
  readonly tensors: number;
  readonly parameters: number;
  readonly step: number;
  readonly config: RunConfig;
  /** Undefined where the data are not on this machine. */
  readonly dataset: Dataset | undefined;
  /** Of the last `groundray evaluate`. */
  readonly evaluation: GroundingResult | undefined;
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)];
}

function figure(value: number | null | undefined): string {
  return typeof value === 'number' && Number.isFinite(value) ? value.toFixed(3) : '–';
}

function dataLines({ dataset, config }: ModelCardFacts): string[] {
  if (!dataset) return [`The data (${config.data.kind}) were not at hand when this card was written.`];
  const counts = new Map<string, { studies: number; patients: Set<string> }>();
  for (const { split, patientId } of dataset.studies) {
    const of = counts.get(split) ?? { studies: 0, patients: new Set<string>() };
    of.studies += 1;
    of.patients.add(patientId);
    counts.set(split, of);
  }
  const rows = [...counts].map(([split, { studies, patients }]) => [split, String(studies), String(patients.size)]);
  return [
    `${dataset.name}; ${dataset.phrases.length} phrases with regions, which training never saw.`,
    '',
    ...table(['split', 'studies', 'patients'], rows),
  ];
}

function methodRow({ name, overall }: MethodResult): string[] {
  const { iou, dice, cnr, pointing } = overall.macro;
  return [
    name,
    `${figure(iou.value)} (${figure(iou.low)} to ${figure(iou.high)})`,
    ...[dice, cnr, pointing].map(({ value }) => figure(value)),
  ];
}

function evaluationLines(evaluation: GroundingResult | undefined): string[] {
  if (!evaluation) return ['Not evaluated yet (`npm run evaluate`).'];
  const { counts, protocol, presets, dataset } = evaluation;
  return [
    `${counts.phrases} phrases on ${counts.images} images of ${dataset}, sigma ${protocol.sigma}; means over classes, 95 % bootstrap ` +
      'intervals over images. Priors never see the image.',
    ...presets.flatMap(({ preset, methods }) => [
      '',
      `Protocol \`${preset}\`:`,
      '',
      ...table(['method', 'IoU', 'Dice', 'CNR', 'pointing'], methods.map(methodRow)),
    ]),
  ];
}

function startLines({ weights }: RunConfig): string[] {
  const given = [
    ['image tower', weights.visual],
    ['text tower', weights.text],
  ].filter(([, path]) => path !== undefined);
  if (given.length === 0) return ['All parameters started from random numbers.'];
  return given.map(
    ([tower, path]) => `- The ${tower} started from \`${path}\`; its licence and terms apply to these weights too.`,
  );
}

/** A model card in Markdown: what the weights are, what they were trained on, how good they are, and what they are not for. */
export function modelCard(facts: ModelCardFacts): string {
  const { file, tensors, parameters, step, config } = facts;
  return `${[
    `# Model card: ${file}`,
    '',
    `> **${RESEARCH_NOTICE}**`,
    '',
    '## Model',
    '',
    `Two towers (ResNet and BERT) that place phrases on chest radiographs, trained by contrast of images and reports without boxes or`,
    `masks. Preset \`${config.preset}\`, seed ${config.seed}, after ${step} optimizer steps; ${parameters.toLocaleString('en')} parameters in ${tensors} tensors.`,
    'Names are those of torchvision (`visual.`) and Hugging Face (`bert.`), axes are in the order of PyTorch, numbers are float32.',
    '',
    ...startLines(config),
    '',
    '## Training data',
    '',
    ...dataLines(facts),
    '',
    '## Evaluation',
    '',
    ...evaluationLines(facts.evaluation),
    '',
    '## Use',
    '',
    '- Intended: research on learning from images and reports, and on localizing phrases.',
    '- Not intended: diagnosis, triage or any other clinical decision. A heat map lights something up even where nothing is wrong.',
    '- Known limits: (to be completed by the author: populations, scanners, findings that were not seen)',
    '',
    '## Licence and terms',
    '',
    '- Licence of these weights: (to be completed by the author)',
    '- Terms of the training data that bind these weights: (to be completed by the author; credentialed data often forbid sharing)',
    '- Contact and citation: (to be completed by the author)',
    '',
    '## Configuration',
    '',
    '```json',
    JSON.stringify(config, null, 2),
    '```',
  ].join('\n')}\n`;
}
