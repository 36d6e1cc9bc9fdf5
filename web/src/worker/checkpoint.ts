import { createTokenizer, parseVocabulary, type WordPieceTokenizer } from '../../../src/data/text/tokenizer.ts';
import { type PresenceCalibration, parseCalibration } from '../../../src/eval/presence.ts';
import { readTensors } from '../../../src/io/openTensors.ts';
import type { TensorFile } from '../../../src/io/tensorFile.ts';
import type { TensorSource } from '../../../src/nn/checkpoint.ts';
import { parseRunConfig, type RunConfig } from '../../../src/train/config.ts';
import { ConfigError } from '../../../src/train/errors.ts';

/** The files of a run that make up a model. */
export const CHECKPOINT_FILES = ['model.safetensors', 'config.json', 'vocab.txt'] as const;

/** A model that can be put on a GPU, any number of times. */
export interface Checkpoint {
  readonly name: string;
  readonly config: RunConfig;
  readonly tokenizer: WordPieceTokenizer;
  /** All parameters and buffers, read or drawn when they are asked for. */
  readonly weights: TensorSource;
  /** Decides between present and absent. */
  readonly calibration: PresenceCalibration | undefined;
  /** Why its maps say nothing, where the model is not trained. */
  readonly untrained?: string;
}

/** A model that a run of ours saved. */
export interface RunCheckpoint extends Checkpoint {
  readonly weights: TensorFile;
}

/** What `npm run train` leaves in a run folder. */
export interface CheckpointFiles {
  readonly weights: { readonly name: string; readonly bytes: ArrayBuffer };
  readonly config: string;
  readonly vocabulary: string;
}

/** @throws ConfigError, DataError or TensorFileError that names the file and what is wrong with it. */
export function parseCheckpoint(name: string, { weights, config, vocabulary }: CheckpointFiles): RunCheckpoint {
  return checkpointOf(name, readTensors(weights.bytes, weights.name), config, vocabulary);
}

/** @throws ConfigError that begins with the name of the file. */
export function parseJson(text: string, source: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ConfigError(`${source} is not valid JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** A model of ours from its weights and the texts of `config.json` and `vocab.txt`. @throws as `parseCheckpoint`. */
export function checkpointOf(name: string, weights: TensorFile, config: string, words: string): RunCheckpoint {
  const parsed = parseRunConfig(parseJson(config, 'config.json'), 'config.json');
  const vocabulary = parseVocabulary(words);
  if (vocabulary.length !== parsed.model.text.vocabulary) {
    throw new ConfigError(
      `vocab.txt has ${vocabulary.length} word pieces, config.json expects ${parsed.model.text.vocabulary}: ` +
        'they are of different runs.',
    );
  }
  const tokenizer = createTokenizer({ vocabulary, lowerCase: parsed.lowerCase });
  return { name, config: parsed, tokenizer, weights, calibration: parseCalibration(weights.metadata) };
}

/** The files of a run on the page's server. @param folder its address, with a slash at its end. */
export async function fetchCheckpoint(folder: string): Promise<CheckpointFiles> {
  const [weights, config, vocabulary] = await Promise.all(CHECKPOINT_FILES.map((file) => fetchPart(folder + file)));
  if (!weights || !config || !vocabulary) throw new ConfigError(`The checkpoint ${folder} has no files.`);
  return {
    weights: { name: CHECKPOINT_FILES[0], bytes: await weights.arrayBuffer() },
    config: await config.text(),
    vocabulary: await vocabulary.text(),
  };
}

async function fetchPart(address: string): Promise<Response> {
  const response = await fetch(address);
  if (!response.ok)
    throw new ConfigError(`${address}: expected a file of the checkpoint, found HTTP ${response.status}.`);
  return response;
}
