import { createTokenizer, parseVocabulary, type WordPieceTokenizer } from '../../../src/data/text/tokenizer.ts';
import { type PresenceCalibration, parseCalibration } from '../../../src/eval/presence.ts';
import { readTensors } from '../../../src/io/openTensors.ts';
import type { TensorFile } from '../../../src/io/tensorFile.ts';
import { parseRunConfig, type RunConfig } from '../../../src/train/config.ts';
import { ConfigError } from '../../../src/train/errors.ts';
import { CHECKPOINT_PARTS } from '../files.ts';

/** A trained model in memory: what `npm run train` leaves in its run folder. */
export interface Checkpoint {
  readonly name: string;
  readonly config: RunConfig;
  readonly tokenizer: WordPieceTokenizer;
  readonly weights: TensorFile;
  /** Decides between present and absent. */
  readonly calibration: PresenceCalibration | undefined;
  /** What all this was read from. */
  readonly files: CheckpointFiles;
}

export interface CheckpointFiles {
  readonly weights: { readonly name: string; readonly bytes: ArrayBuffer };
  readonly config: string;
  readonly vocabulary: string;
}

/** @throws ConfigError, DataError or TensorFileError that names the file and what is wrong with it. */
export function parseCheckpoint(name: string, files: CheckpointFiles): Checkpoint {
  let json: unknown;
  try {
    json = JSON.parse(files.config);
  } catch (error) {
    throw new ConfigError(`config.json is not valid JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const config = parseRunConfig(json, 'config.json');
  const vocabulary = parseVocabulary(files.vocabulary);
  if (vocabulary.length !== config.model.text.vocabulary) {
    throw new ConfigError(
      `vocab.txt has ${vocabulary.length} word pieces, config.json expects ${config.model.text.vocabulary}: ` +
        'they are of different runs.',
    );
  }
  const weights = readTensors(files.weights.bytes, files.weights.name);
  const tokenizer = createTokenizer({ vocabulary, lowerCase: config.lowerCase });
  return { name, config, tokenizer, weights, calibration: parseCalibration(weights.metadata), files };
}

/** Reads a checkpoint from the files that a person chose. @throws ConfigError that says which one is missing. */
export async function readCheckpoint(files: readonly File[]): Promise<Checkpoint> {
  const [weights, config, vocabulary] = CHECKPOINT_PARTS.map(({ file, ending }) => {
    const found =
      files.find(({ name }) => name === file) ?? files.find(({ name }) => name.toLowerCase().endsWith(ending));
    if (!found) {
      throw new ConfigError(
        `A checkpoint is three files of one run folder: model.safetensors, config.json and vocab.txt. ${file} is ` +
          'missing; choose or drop all three at once.',
      );
    }
    return found;
  }) as [File, File, File];
  return parseCheckpoint(weights.name, {
    weights: { name: weights.name, bytes: await weights.arrayBuffer() },
    config: await config.text(),
    vocabulary: await vocabulary.text(),
  });
}

/** A checkpoint on the page's server. @param folder its address, with a slash at its end. */
export async function fetchCheckpoint(folder: string): Promise<Checkpoint> {
  const [weights, config, vocabulary] = await Promise.all(CHECKPOINT_PARTS.map(({ file }) => fetchPart(folder + file)));
  if (!weights || !config || !vocabulary) throw new ConfigError(`The checkpoint ${folder} has no files.`);
  return parseCheckpoint(folder.split('/').at(-2) ?? folder, {
    weights: { name: 'model.safetensors', bytes: await weights.arrayBuffer() },
    config: await config.text(),
    vocabulary: await vocabulary.text(),
  });
}

async function fetchPart(address: string): Promise<Response> {
  const response = await fetch(address);
  if (!response.ok)
    throw new ConfigError(`${address}: expected a file of the checkpoint, found HTTP ${response.status}.`);
  return response;
}
