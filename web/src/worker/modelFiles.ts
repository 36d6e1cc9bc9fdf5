import { createTokenizer, parseVocabulary } from '../../../src/data/text/tokenizer.ts';
import type { ByteSource } from '../../../src/io/byteSource.ts';
import { openTensors } from '../../../src/io/openTensors.ts';
import type { TensorFile } from '../../../src/io/tensorFile.ts';
import { holdsGroundingModel, towersIn } from '../../../src/models/towers.ts';
import { ConfigError } from '../../../src/train/errors.ts';
import { isBertDescription } from '../../../src/train/huggingFace.ts';
import { startModel } from '../../../src/train/startModel.ts';
import { endsWithAny, WEIGHT_ENDINGS } from '../files.ts';
import { CHECKPOINT_FILES, type Checkpoint, checkpointOf, parseJson } from './checkpoint.ts';

/** A file that a person gave, by itself, in a folder or in a zip. */
export interface ModelFile {
  /** Folders and name. */
  readonly path: string;
  /** The zip that it is in. */
  readonly zip?: string;
  /** Its bytes by position. */
  open(): ByteSource;
  text(): Promise<string>;
}

interface Weights {
  readonly file: ModelFile;
  readonly tensors: TensorFile;
}

const folderOf = ({ path }: ModelFile): string => path.slice(0, path.lastIndexOf('/') + 1);
const nameOf = ({ path }: ModelFile): string => path.slice(path.lastIndexOf('/') + 1);

/** What people call a model: the zip or the weights that it came in. */
function modelName(weights: readonly Weights[]): string {
  return [...new Set(weights.map(({ file }) => file.zip ?? file.path))].join(' and ');
}

/** What these files are called, also by browsers that number them and by people who keep several. */
const companions = {
  'config.json': /(^|[^_])config[^/]*\.json$/i,
  'vocab.txt': /(^|[^_])vocab[^/]*\.txt$/i,
} as const;

/** The file that belongs to the weights: beside them, else anywhere, else one with a similar name. */
function companion(weights: ModelFile, files: readonly ModelFile[], name: keyof typeof companions) {
  const named = files.filter((file) => nameOf(file) === name);
  const beside = named.find((file) => folderOf(file) === folderOf(weights));
  return beside ?? named[0] ?? files.find((file) => companions[name].test(nameOf(file)));
}

/** The only whole model; of a run folder `model.safetensors` rather than `checkpoint.safetensors`. */
function onlyModel(whole: readonly Weights[], others: readonly Weights[]): Weights {
  const folders = new Set(whole.map(({ file }) => `${file.zip ?? ''}/${folderOf(file)}`));
  const chosen = whole.find(({ file }) => nameOf(file) === CHECKPOINT_FILES[0]) ?? whole[0];
  if (chosen && folders.size === 1 && others.length === 0) return chosen;
  const paths = [...whole, ...others].map(({ file }) => file.path).join(', ');
  throw new ConfigError(`These are weights of several models: ${paths}. Open one model at a time.`);
}

async function readRun(weights: Weights, files: readonly ModelFile[]): Promise<Checkpoint> {
  const [config, vocabulary] = await Promise.all(
    (['config.json', 'vocab.txt'] as const).map((name) => {
      const file = companion(weights.file, files, name);
      if (file) return file.text();
      throw new ConfigError(
        `A checkpoint is three files of one run folder: ${CHECKPOINT_FILES[0]}, config.json and vocab.txt. ${name} is ` +
          'missing; choose or drop all three at once.',
      );
    }),
  );
  return checkpointOf(modelName([weights]), weights.tensors, config ?? '', vocabulary ?? '');
}

/** What Hugging Face publishes beside the weights of a BERT; the case of its text is in a file of its own. */
async function descriptionOf(weights: ModelFile, files: readonly ModelFile[]) {
  const file = companion(weights, files, 'config.json');
  const json = file && parseJson(await file.text(), file.path);
  if (!file || !isBertDescription(json)) return undefined;
  const tokenizer = files.find((each) => nameOf(each) === 'tokenizer_config.json' && folderOf(each) === folderOf(file));
  const own = tokenizer && parseJson(await tokenizer.text(), tokenizer.path);
  const lowerCase = (own as { readonly do_lower_case?: unknown } | undefined)?.do_lower_case;
  const known = typeof lowerCase === 'boolean' ? { do_lower_case: lowerCase } : {};
  return { json: { ...known, ...(json as object) }, source: file.path };
}

async function readTowers(weights: readonly Weights[], files: readonly ModelFile[]): Promise<Checkpoint> {
  const opened = weights.map(({ tensors }) => tensors);
  const text = weights.find(({ tensors }) => towersIn(tensors.file, tensors).includes('text'));
  const { file } = text ?? weights[0] ?? {};
  const words = file && companion(file, files, 'vocab.txt');
  const description = text && (await descriptionOf(text.file, files));
  const { config, vocabulary, state, note } = startModel(opened, {
    ...(words ? { vocabulary: parseVocabulary(await words.text(), words.path) } : {}),
    ...(description ? { description } : {}),
  });
  const tokenizer = createTokenizer({ vocabulary, lowerCase: config.lowerCase });
  return { name: modelName(weights), config, tokenizer, weights: state, calibration: undefined, untrained: note };
}

/**
 * Makes a model of the files that a person gave: the three of a run folder, or published weights of one encoder or two,
 * with the vocabulary of a BERT. The weights stay open.
 * @throws ConfigError, DataError, ShapeError or TensorFileError that says which file is wrong or missing.
 */
export async function readModel(files: readonly ModelFile[]): Promise<Checkpoint> {
  const weights: Weights[] = files
    .filter(({ path }) => endsWithAny(path, WEIGHT_ENDINGS))
    .map((file) => ({ file, tensors: openTensors(file.open()) }));
  if (weights.length === 0) {
    const names = files.slice(0, 3).map(({ path }) => path);
    throw new ConfigError(
      'A model is model.safetensors, config.json and vocab.txt of a run folder, or published weights of a BERT with its ' +
        `vocab.txt or of a ResNet (${WEIGHT_ENDINGS.join(', ')}). Found no weights in ${files.length} files` +
        `${names.length > 0 ? `, such as ${names.join(', ')}` : ''}.`,
    );
  }
  const whole = weights.filter(({ tensors }) => holdsGroundingModel(tensors));
  if (whole.length === 0) return readTowers(weights, files);
  return readRun(
    onlyModel(
      whole,
      weights.filter((each) => !whole.includes(each)),
    ),
    files,
  );
}
