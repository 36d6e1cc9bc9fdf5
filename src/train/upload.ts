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

/**
 * Puts a batch on the GPU; images become `[batch, size, size, 1]`. The caller's scope owns the tensors.
 * @throws NonFiniteError if a pixel is NaN or infinite.
 */
export function uploadBatch(gpu: Gpu, batch: Batch): PairBatch {
  checkPixels(batch);
  const { studyIds, imageSize, tokens } = batch;
  const rows = studyIds.length;
  const ids = (values: Int32Array, shape: readonly number[]): Tensor => tensor(gpu, values, shape, { dtype: 'i32' });
  return {
    image: tensor(gpu, batch.images, [rows, imageSize, imageSize, 1]),
    ids: ids(batch.inputIds, [rows, tokens]),
    mask: ids(batch.attentionMask, [rows, tokens]),
    sentences: { ids: ids(batch.sentenceIds, [rows, tokens]), count: batch.maxSentences },
    words: { ids: ids(batch.wordIds, [rows, tokens]), count: batch.maxWords },
    duplicates: ids(duplicatePairs(batch.reportKeys), [rows, rows]),
  };
}
