import { backward, noGrad } from '../autograd/tape.ts';
import { Tensor } from '../autograd/tensor.ts';
import { copyInto } from '../kernels/copy.ts';
import { NDArray } from '../kernels/ndarray.ts';
import type { GroundingModel, TextUnits } from '../models/grounding.ts';
import type {
  ImageEmbeddings,
  ObjectiveConfig,
  ObjectiveLosses,
  PairBatch,
  TextEmbeddings,
} from '../models/objective.ts';
import { contrast, encodeImages, encodeTexts } from '../models/objective.ts';
import { type RandomPlace, randomPlace, repeatPass } from '../nn/repeat.ts';

/** Rows of a batch that are encoded together. */
export interface Chunk {
  readonly first: number;
  readonly count: number;
}

/**
 * Cuts `rows` into as few chunks of at most `size` as there can be. Their sizes differ by one at most, so that no batch
 * norm sees a small rest: 10 rows in chunks of at most 4 are 4, 3 and 3.
 */
export function chunksOf(rows: number, size: number): Chunk[] {
  const count = Math.ceil(rows / size);
  const start = (i: number): number => Math.ceil((i * rows) / count);
  return Array.from({ length: count }, (_, i) => ({ first: start(i), count: start(i + 1) - start(i) }));
}

function rowsOf(array: NDArray, { first, count }: Chunk): NDArray {
  const [, ...rest] = array.shape;
  return array.view([count, ...rest], array.strides, array.offset + first * (array.strides[0] ?? 1));
}

const part = (tensor: Tensor, chunk: Chunk): Tensor => new Tensor(rowsOf(tensor.array, chunk));

/** A tower: how it encodes a part of the batch into named tensors, each with a row per study. */
type Encode<E extends object> = (chunk: Chunk) => E;

const namedTensors = (embeddings: object): [name: string, tensor: Tensor | undefined][] => Object.entries(embeddings);

/** A batch, the objective it is for, and how it is cut. */
interface Work {
  readonly model: GroundingModel;
  readonly batch: PairBatch;
  readonly config: ObjectiveConfig;
  readonly chunks: readonly Chunk[];
}

function workOf(model: GroundingModel, batch: PairBatch, config: ObjectiveConfig, chunkSize: number): Work {
  return { model, batch, config, chunks: chunksOf(batch.image.shape[0] ?? 0, chunkSize) };
}

function imageTower({ model, batch, config }: Work): Encode<ImageEmbeddings> {
  return (chunk) => encodeImages(model, part(batch.image, chunk), config);
}

function textTower({ model, batch, config }: Work): Encode<TextEmbeddings> {
  const { ids, mask, sentences, words } = batch;
  return (chunk) => {
    const cut = (units: TextUnits): TextUnits => ({ ids: part(units.ids, chunk), count: units.count });
    const units = { sentences: cut(sentences), ...(words ? { words: cut(words) } : {}) };
    return encodeTexts(model, { ids: part(ids, chunk), mask: part(mask, chunk), ...units }, config);
  };
}

interface Encoded<E extends object> {
  /** Leaves with the embeddings of all chunks. */
  readonly embeddings: E;
  /** Where the random numbers were before each chunk. */
  readonly places: readonly RandomPlace[];
}

/** First pass: embeddings of the whole batch, without a tape. */
function encodeAll<E extends object>({ model, batch, chunks }: Work, encode: Encode<E>): Encoded<E> {
  const { gpu, shape } = batch.image;
  const [rows = 0] = shape;
  const whole = new Map<string, Tensor>();
  const places: RandomPlace[] = [];
  for (const chunk of chunks) {
    places.push(randomPlace(model));
    const made = gpu.scope(() => noGrad(() => encode(chunk)));
    for (const [name, tensor] of namedTensors(made)) {
      if (!tensor) continue;
      const { dtype } = tensor;
      const all =
        whole.get(name) ??
        new Tensor(NDArray.empty(gpu, [rows, ...tensor.shape.slice(1)], dtype), { requiresGrad: dtype !== 'i32' });
      whole.set(name, all);
      using target = rowsOf(all.array, chunk);
      copyInto(tensor.array, target);
      tensor.dispose();
    }
  }
  return { embeddings: Object.fromEntries(whole) as E, places };
}

/** Second pass: encodes every chunk again, now with its tape, and sends the gradients of its embeddings through it. */
function backwardAll<E extends object>(
  { model, batch, chunks }: Work,
  encode: Encode<E>,
  { embeddings, places }: Encoded<E>,
): void {
  const grads = new Map(namedTensors(embeddings).map(([name, leaf]) => [name, leaf?.grad]));
  for (const [i, chunk] of chunks.entries()) {
    const pass = (): void => {
      const outputs: Tensor[] = [];
      const upstream: NDArray[] = [];
      for (const [name, output] of namedTensors(encode(chunk))) {
        const grad = grads.get(name);
        if (!output || !grad) continue;
        outputs.push(output);
        upstream.push(rowsOf(grad, chunk));
      }
      backward(outputs, upstream);
    };
    batch.image.gpu.scope(() => repeatPass(model, places[i] ?? new Map(), pass));
  }
}

/**
 * The objective of a batch of which the towers see at most `chunkSize` studies at a time, without gradients. Equal to
 * `contrastiveObjective`, but for batch norms in training, which use the statistics of each chunk.
 */
export function objectiveInChunks(
  model: GroundingModel,
  batch: PairBatch,
  config: ObjectiveConfig,
  chunkSize: number,
): ObjectiveLosses {
  const work = workOf(model, batch, config, chunkSize);
  const images = encodeAll(work, imageTower(work)).embeddings;
  const texts = encodeAll(work, textTower(work)).embeddings;
  return noGrad(() => contrast(images, texts, config, batch.duplicates));
}

/** Losses, and the embeddings of the batch with their gradients in `grad`. */
export interface CachedObjective {
  readonly losses: ObjectiveLosses;
  readonly images: ImageEmbeddings;
  readonly texts: TextEmbeddings;
}

/**
 * GradCache (Gao et al. 2021, arXiv 2101.06983): adds the gradients of the objective to those of the parameters while
 * no more than the activations of `chunkSize` studies of one tower are in memory. Both towers are encoded in chunks
 * without a tape; the contrast of the whole batch gives the gradient of every embedding; then each chunk is encoded
 * again, with the dropout masks it had, and its embeddings' gradients are sent through it. This is the gradient that the
 * same chunks on one tape have, up to the order of summation. Running statistics of batch norms move once per chunk.
 * @param upstream scalar gradient of the total, such as a loss scale; 1 if left out
 */
export function backwardInChunks(
  model: GroundingModel,
  batch: PairBatch,
  config: ObjectiveConfig,
  chunkSize: number,
  upstream?: NDArray,
): CachedObjective {
  const work = workOf(model, batch, config, chunkSize);
  const [encodeImage, encodeText] = [imageTower(work), textTower(work)];
  const [images, texts] = [encodeAll(work, encodeImage), encodeAll(work, encodeText)];
  const losses = batch.image.gpu.scope(() => {
    const made = contrast(images.embeddings, texts.embeddings, config, batch.duplicates);
    backward([made.total], [upstream]);
    return made;
  });
  backwardAll(work, encodeImage, images);
  backwardAll(work, encodeText, texts);
  return { losses, images: images.embeddings, texts: texts.embeddings };
}

/**
 * The forward passes that `backwardInChunks` makes, to be run in this order, each with a tape and its results: of every
 * chunk of either tower, then of the contrast. For post-mortems.
 */
export function* tapesInChunks(
  model: GroundingModel,
  batch: PairBatch,
  config: ObjectiveConfig,
  chunkSize: number,
): Generator<() => readonly Tensor[]> {
  const work = workOf(model, batch, config, chunkSize);
  const [encodeImage, encodeText] = [imageTower(work), textTower(work)];
  const made = (embeddings: object): Tensor[] => namedTensors(embeddings).flatMap(([, tensor]) => tensor ?? []);
  const start = randomPlace(model);
  for (const chunk of work.chunks) yield () => made(encodeImage(chunk));
  for (const chunk of work.chunks) yield () => made(encodeText(chunk));
  yield () =>
    repeatPass(model, start, () => {
      const [images, texts] = [encodeAll(work, encodeImage), encodeAll(work, encodeText)];
      return [contrast(images.embeddings, texts.embeddings, config, batch.duplicates).total];
    });
}
