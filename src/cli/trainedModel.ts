import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { hasCheckpoint } from '../train/checkpoint.node.ts';
import { latestRun, openRunFolder, type RunDescription } from '../train/runFolder.node.ts';
import { UsageError } from './common.ts';

export { type LoadedModel, loadTrainedModel, makeUntrainedModel } from '../train/trainedModel.node.ts';

const runsRoot = 'runs';

/**
 * The run in `folder`, or the latest below `runs/`, checked to have a checkpoint.
 * @throws UsageError or ConfigError that says what is missing.
 */
export function findTrainedRun(folder?: string): RunDescription {
  if (folder !== undefined && !existsSync(folder)) {
    throw new UsageError(`--run ${folder}: there is no such folder. Start a run with \`npm run train\`.`);
  }
  const run = openRunFolder(resolve(folder ?? latestRun(runsRoot)));
  if (!hasCheckpoint(run.folder)) {
    throw new UsageError(
      `The run in ${run.folder} has no checkpoint.safetensors yet: training writes the first after ` +
        `${run.config.checkpointEvery} steps. Let it train on (npm run train -- --resume ${run.folder}), or name another --run.`,
    );
  }
  return run;
}
