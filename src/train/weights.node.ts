import { openTensorFile } from '../io/openTensors.node.ts';
import type { TensorFile } from '../io/tensorFile.ts';
import { findWeights } from '../io/weightsCache.node.ts';
import { GroundingModel } from '../models/grounding.ts';
import type { ParameterArena } from '../nn/arena.ts';
import { loadStateDict } from '../nn/checkpoint.ts';
import {
  describeMatch,
  isComplete,
  type MatchOptions,
  type MatchReport,
  matchTensors,
  stateShapes,
} from '../nn/match.ts';
import type { RunConfig } from './config.ts';
import { ConfigError } from './errors.ts';

/** Options under which published weights are matched with a tower of the model, `visual.` or `bert.`. */
export function towerOptions(config: RunConfig, target: string): MatchOptions {
  // With coordinates the first convolution has three channels that are no colours.
  return { target, foldChannels: !config.model.visual.coordinates };
}

async function useStartWeights(
  config: RunConfig,
  shapes: ReadonlyMap<string, readonly number[]>,
  use: (file: TensorFile, options: MatchOptions) => Promise<unknown>,
): Promise<string[]> {
  const { visual, text, allowMissing = false } = config.weights;
  const towers = [
    { given: visual, role: 'resnet', target: 'visual.' },
    { given: text, role: 'bert', target: 'bert.' },
  ] as const;
  const lines: string[] = [];
  for (const { given, role, target } of towers) {
    if (given === undefined) continue;
    using file = openTensorFile(findWeights(given, role, (message) => new ConfigError(message)));
    const options = towerOptions(config, target);
    const { report } = matchTensors(shapes, file, options);
    checkMatch(file.file, target, report, allowMissing);
    await use(file, options);
    lines.push(`${file.file} (${file.format}): ${describeMatch(report)}.`);
  }
  return lines;
}

function checkMatch(path: string, target: string, report: MatchReport, allowMissing: boolean): void {
  const tower = target.replace('.', '');
  if (report.matched.length === 0) {
    throw new ConfigError(
      `${path} has no tensor that fits the ${tower} tower of this model (${describeMatch(report)}). ` +
        `See what it holds with \`npm run weights -- inspect ${path}\`.`,
    );
  }
  if (isComplete(report) || allowMissing) return;
  const isVocabulary = report.mismatched.some(({ name }) => name.endsWith('word_embeddings.weight'));
  const hint = isVocabulary
    ? ' The weights belong to another vocabulary: name the one that was published with them (--vocab).'
    : '';
  throw new ConfigError(
    `${path} does not fill the ${tower} tower: ${describeMatch(report)}.${hint} Training would begin with random numbers there; ` +
      'if that is wanted, say --allow-missing-weights.',
  );
}

/** Checks the start weights of a configuration as `loadStartWeights` does, without a GPU. @throws ConfigError as there. */
export async function checkStartWeights(config: RunConfig): Promise<void> {
  if (config.weights.visual === undefined && config.weights.text === undefined) return;
  await useStartWeights(config, stateShapes(new GroundingModel(config.model)), () => Promise.resolve());
}

/**
 * Loads the published weights that a configuration names into the towers, from any format, one tensor after the other.
 * Returns one line per file that says what matched.
 * @throws ConfigError if a tensor of a tower is missing or of another shape, unless the configuration allows that.
 * @throws TensorFileError if a file cannot be read.
 */
export async function loadStartWeights(config: RunConfig, arena: ParameterArena): Promise<string[]> {
  return useStartWeights(config, arena.shapes(), (file, options) => loadStateDict(arena, file, options));
}
