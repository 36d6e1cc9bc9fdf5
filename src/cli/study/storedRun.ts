import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { DataError } from '../../data/errors.ts';
import type { Dataset } from '../../data/types.ts';
import type { GroundingResult } from '../../eval/result.ts';
import type { CurvePoint } from '../../eval/study/measurement.ts';
import { mergeConfig, type RunConfig } from '../../train/config.ts';
import { ConfigError } from '../../train/errors.ts';
import { readMetrics } from '../../train/metrics.node.ts';
import { newRun, openRunFolder, type RunDescription } from '../../train/runFolder.node.ts';

/** Where `evaluateRun` leaves the result of a run. */
export function resultPath(folder: string): string {
  return join(folder, 'evaluation', 'report.json');
}

/**
 * The run in a folder of the study, or a new one that is not written yet.
 * @throws ConfigError when the folder holds a run with other settings.
 */
export function openStudyRun(folder: string, config: RunConfig, dataset: Dataset): RunDescription {
  if (!existsSync(join(folder, 'config.json'))) return newRun(folder, config, dataset);
  const run = openRunFolder(folder);
  // The vocabulary's size is known only when a run starts.
  const expected = mergeConfig(config, { model: { text: { vocabulary: run.config.model.text.vocabulary } } });
  if (!isDeepStrictEqual(JSON.parse(JSON.stringify(expected)), JSON.parse(JSON.stringify(run.config)))) {
    throw new ConfigError(
      `${folder} holds a run whose config.json is not that of the study: move it away, and the study trains it anew.`,
    );
  }
  return run;
}

/** What a finished run measured; undefined where it was not evaluated yet. @throws DataError if the file is none of ours. */
export function readResult(folder: string): GroundingResult | undefined {
  const path = resultPath(folder);
  if (!existsSync(path)) return undefined;
  const advice = `Remove ${join(folder, 'evaluation')}, and the study evaluates the run again.`;
  let result: GroundingResult;
  try {
    // JSON has no NaN: what is not defined was written as null.
    result = JSON.parse(readFileSync(path, 'utf8'), (_, value) => (value === null ? Number.NaN : value));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DataError(`${path} is not valid JSON (${reason}). ${advice}`);
  }
  const isResult = result?.kind === 'groundray-grounding' && Array.isArray(result.presets);
  const hasRows = isResult && result.presets.every(({ methods }) => Array.isArray(methods[0]?.rows));
  if (!hasRows) throw new DataError(`${path}: expected the result of an evaluation with its phrases. ${advice}`);
  return result;
}

/** The validation of a run during its training. */
export function readCurve(folder: string): CurvePoint[] {
  return readMetrics(folder)
    .filter(({ kind }) => kind === 'validation')
    .map(({ step, globalVt }) => ({ step, globalLoss: Number(globalVt) }));
}
