import { type Tensor, tensor } from '../autograd/tensor.ts';
import type { Batch } from '../data/types.ts';
import type { Gpu } from '../gpu/gpu.ts';
import type { PairBatch } from '../models/objective.ts';
import { NonFiniteError } from './errors.ts';

/** `[batch, batch]`, 1 where two different studies have the same report. */
function duplicatePairs(keys: Int32Array): Int32Array {
  const n = keys.length;
  return Int32Array.from({ length: n * n }, (_, i) => {
    const [row, col] = [Math.floor(i / n), i % n];
    return row !== col && keys[row] === keys[col] ? 1 : 0;
  });
}

/** Kernels may assume finite numbers (a ReLU would turn NaN into 0 unnoticed), so bad pixels are stopped here. */
function checkPixels({ images, imageSize, studyIds }: Batch): void {
  const bad = images.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return;
  const study = studyIds[Math.floor(bad / imageSize ** 2)];
  throw new NonFiniteError(`The image of study ${study} has a pixel that is not a finite number (${images[bad]}).`);
}

/** Rounded up, so that few different shapes occur; what is beyond the real units is masked. */
function roomFor(units: number, step: number): number {
  return Math.ceil(units / step) * step;
}

/** Equal for batches that `rewriteBatch` can put in each other's place. `words`: whether their words are uploaded. */
export function batchShape(batch: Batch, words: boolean): string {
  const { studyIds, imageSize, tokens, maxSentences, maxWords } = batch;
  const units = [roomFor(maxSentences, 8), ...(words ? [roomFor(maxWords, 32)] : [])];
  return [studyIds.length, imageSize, tokens, ...units].join(' ');
}

/**
 * Puts a batch on the GPU; images become `[batch, size, size, 1]`. The caller's scope owns the tensors.
 * @param words whether the word of each token is needed; their number would only add shapes otherwise
 * @throws NonFiniteError if a pixel is NaN or infinite.
 */
export function uploadBatch(gpu: Gpu, batch: Batch, words: boolean): PairBatch {
  checkPixels(batch);
  const { studyIds, imageSize, tokens, maxSentences, maxWords } = batch;
  const rows = studyIds.length;
  const ids = (values: Int32Array, shape: readonly number[]): Tensor => tensor(gpu, values, shape, { dtype: 'i32' });
  return {
    image: tensor(gpu, batch.images, [rows, imageSize, imageSize, 1]),
    ids: ids(batch.inputIds, [rows, tokens]),
    mask: ids(batch.attentionMask, [rows, tokens]),
    sentences: { ids: ids(batch.sentenceIds, [rows, tokens]), count: roomFor(maxSentences, 8) },
    ...(words ? { words: { ids: ids(batch.wordIds, [rows, tokens]), count: roomFor(maxWords, 32) } } : {}),
    duplicates: ids(duplicatePairs(batch.reportKeys), [rows, rows]),
  };
}

/** Puts another batch of the same `batchShape` in the place of an uploaded one. @throws NonFiniteError as above. */
export function rewriteBatch(target: PairBatch, batch: Batch): void {
  checkPixels(batch);
  target.image.array.write(batch.images);
  target.ids.array.write(batch.inputIds);
  target.mask.array.write(batch.attentionMask);
  target.sentences.ids.array.write(batch.sentenceIds);
  target.words?.ids.array.write(batch.wordIds);
  target.duplicates?.array.write(duplicatePairs(batch.reportKeys));
}

/** Frees an uploaded batch. */
export function disposeBatch({ image, ids, mask, sentences, words, duplicates }: PairBatch): void {
  for (const tensor of [image, ids, mask, sentences.ids, words?.ids, duplicates]) tensor?.dispose();
}
