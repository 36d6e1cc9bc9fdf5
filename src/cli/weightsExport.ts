import { existsSync, readFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { DataError } from '../data/errors.ts';
import { openDataset } from '../data/open.node.ts';
import type { Dataset } from '../data/types.ts';
import type { GroundingResult } from '../eval/result.ts';
import { writeFileAtomic } from '../io/atomic.node.ts';
import { convertedTensors } from '../io/convert.ts';
import { safetensorsChunks } from '../io/safetensors.ts';
import { elementCount } from '../io/tensorFile.ts';
import { openCheckpoint } from '../train/checkpoint.node.ts';
import { modelName, progressIn } from '../train/checkpoint.ts';
import type { RunConfig } from '../train/config.ts';
import { shownPath, UsageError } from './common.ts';
import { modelCard } from './modelCard.ts';
import { findTrainedRun } from './trainedModel.ts';

export interface ExportFlags {
  readonly run?: string;
  readonly out: string;
}

/** Undefined where the data are not on this machine: weights may be exported anywhere. */
async function datasetOf({ data }: RunConfig): Promise<Dataset | undefined> {
  try {
    return await openDataset(data);
  } catch (error) {
    if (error instanceof DataError) return undefined;
    throw error;
  }
}

function evaluationOf(folder: string): GroundingResult | undefined {
  const path = join(folder, 'evaluation', 'report.json');
  if (!existsSync(path)) return undefined;
  const result = JSON.parse(readFileSync(path, 'utf8')) as Partial<GroundingResult>;
  if (result.kind === 'groundray-grounding') return result as GroundingResult;
  throw new UsageError(`${path} is no evaluation of this program; delete it or evaluate again.`);
}

/** `groundray weights export` */
export async function exportWeights({ run: folder, out }: ExportFlags): Promise<void> {
  if (extname(out) !== '.safetensors')
    throw new UsageError(`--out ${out}: expected a name that ends with .safetensors.`);
  const run = findTrainedRun(folder);
  const { config } = run;
  using checkpoint = openCheckpoint(run.folder);
  const { step } = progressIn(checkpoint);
  const tensors = convertedTensors(checkpoint, { rename: modelName });
  const metadata = {
    format: 'pt',
    producer: 'groundray',
    notice: 'Research use only, not for diagnosis.',
    preset: config.preset,
    step: String(step),
    model: JSON.stringify(config.model),
  };
  const card = out.replace(/\.safetensors$/, '.md');
  const running = (name: string): boolean => /\.running_(mean|var)$/.test(name);
  const parameters = [...tensors].reduce(
    (sum, [name, { shape }]) => sum + (running(name) ? 0 : elementCount(shape)),
    0,
  );
  const dataset = await datasetOf(config);
  const facts = { file: basename(out), tensors: tensors.size, parameters, step, config, dataset };
  const text = modelCard({ ...facts, evaluation: evaluationOf(run.folder) });
  await writeFileAtomic(out, safetensorsChunks(tensors, metadata));
  await writeFileAtomic(card, text);
  process.stdout.write(
    `Wrote ${tensors.size} tensors of ${shownPath(run.folder)} (step ${step}) to ${out} and a model card to ${card}.\n` +
      'Complete the licence and the limits in the card before you pass it on. Research use only, not for diagnosis.\n',
  );
}
