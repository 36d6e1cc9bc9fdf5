import type { Gpu } from '../gpu/gpu.ts';
import { defineKernel, grid1d } from './define.ts';
import { elementwiseWorkgroup } from './elementwise.ts';
import { NDArray } from './ndarray.ts';
import type { RowForm } from './rows.ts';
import { rowGrid, rowVariants } from './rows.ts';
import * as wgsl from './shaders.gen.ts';

/** vec4 of one chunk of the first stage: sixteen loads for each of 256 lanes. */
const chunkSize = 4096;

const partialKernel = defineKernel({
  name: 'gradNormPartial',
  shader: wgsl.gradNormPartial,
  params: { count: 'u32', chunks: 'u32', first: 'u32' },
  bindings: ['read', 'write'],
  variants: rowVariants(['norm'], [], { CHUNK: chunkSize }),
  dispatch: ({ chunks }, constants) => rowGrid(chunks, constants),
  cost: ({ count }) => ({ flops: 8 * count, bytes: 16 * count }),
});

const totalKernel = defineKernel({
  name: 'gradNormTotal',
  shader: wgsl.gradNormTotal,
  params: { count: 'u32', maxNorm: 'f32' },
  bindings: ['read', 'write'],
  variants: rowVariants(['norm']),
  dispatch: () => [1, 1, 1],
  cost: ({ count }) => ({ flops: 2 * count, bytes: 8 * count }),
});

const clipKernel = defineKernel({
  name: 'gradClip',
  shader: wgsl.gradClip,
  params: { count: 'u32' },
  bindings: ['read', 'write'],
  variants: { plain: { constants: { WORKGROUP_SIZE: elementwiseWorkgroup }, libraries: [wgsl.libGrid] } },
  dispatch: ({ count }) => grid1d(count, elementwiseWorkgroup),
  cost: ({ count }) => ({ flops: 4 * count, bytes: 32 * count }),
});

/**
 * Norm over all elements of dense arrays whose sizes are multiples of four, and the factor that limits it to `maxNorm`.
 * @param maxNorm 0 for no limit.
 * @param form how a chunk is walked; by default what suits the adapter.
 * @returns `[norm, factor, number of non-finite elements]`; non-finite elements are left out of the norm.
 */
export function gradNorm(
  gpu: Gpu,
  arrays: readonly NDArray[],
  maxNorm: number,
  form: RowForm = gpu.adapter.kind === 'software' ? 'serial' : 'workgroup256',
): NDArray {
  const counts = arrays.map((array) => array.size / 4);
  const chunks = counts.map((count) => Math.ceil(count / chunkSize));
  const total = chunks.reduce((sum, own) => sum + own, 0);
  const result = NDArray.empty(gpu, [3]);
  using partials = NDArray.empty(gpu, [total, 2]);
  let first = 0;
  for (const [i, array] of arrays.entries()) {
    const own = chunks[i] ?? 0;
    if (own > 0)
      partialKernel.run(gpu, `norm-${form}`, [array, partials], { count: counts[i] ?? 0, chunks: own, first });
    first += own;
  }
  totalKernel.run(gpu, `norm-${form}`, [partials, result], { count: total, maxNorm });
  return result;
}

/** Multiplies `target`, a dense array whose size is a multiple of four, by the factor of a `gradNorm` result. */
export function scaleByClip(target: NDArray, clip: NDArray): void {
  clipKernel.run(target.gpu, 'plain', [clip, target], { count: target.size / 4 });
}
