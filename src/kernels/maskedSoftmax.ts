import { contiguous } from './copy.ts';
import { defineKernel } from './define.ts';
import { NDArray } from './ndarray.ts';
import { chooseRowForm, rowGrid, rowVariants } from './rows.ts';
import * as wgsl from './shaders.gen.ts';

const softmaxKernel = defineKernel({
  name: 'maskedSoftmax',
  shader: wgsl.maskedSoftmax,
  params: { rows: 'u32', length: 'u32', rowsPerMask: 'u32', scale: 'f32', masked: 'u32' },
  bindings: ['read', 'read', 'write'],
  typed: [0, 2],
  variants: rowVariants(['softmax']),
  dispatch: ({ rows }, constants) => rowGrid(rows, constants),
  cost: ({ rows, length }) => ({ flops: 4 * rows * length, bytes: 8 * rows * length }),
});

const gradKernel = defineKernel({
  name: 'maskedSoftmaxGrad',
  shader: wgsl.maskedSoftmaxGrad,
  params: { rows: 'u32', length: 'u32', scale: 'f32' },
  bindings: ['read', 'read', 'write'],
  typed: [0, 1, 2],
  variants: rowVariants(['softmax']),
  dispatch: ({ rows }, constants) => rowGrid(rows, constants),
  cost: ({ rows, length }) => ({ flops: 4 * rows * length, bytes: 12 * rows * length }),
});

/**
 * `softmax(scale * x)` over the last axis of `x` `[B, ..., S]`.
 * @param mask i32 `[B, S]`, 0 for entries that get the weight 0; a row without any other entry becomes zero
 */
export function maskedSoftmax(x: NDArray, mask: NDArray | undefined, scale: number): NDArray {
  const y = NDArray.empty(x.gpu, x.shape, x.dtype);
  const length = x.shape.at(-1) ?? 1;
  const rows = length === 0 ? 0 : x.size / length;
  if (rows === 0) return y;
  const source = contiguous(x);
  softmaxKernel.run(
    x.gpu,
    `softmax-${chooseRowForm(x.gpu, length, rows)}`,
    // Without a mask its binding is not read.
    [source, mask ? contiguous(mask) : source, y],
    { rows, length, rowsPerMask: rows / (x.shape[0] ?? 1), scale, masked: mask ? 1 : 0 },
  );
  return y;
}

/** Gradient of `maskedSoftmax` with respect to `x` from its result `y`. */
export function maskedSoftmaxGrad(y: NDArray, dy: NDArray, scale: number): NDArray {
  const dx = NDArray.empty(y.gpu, y.shape, y.dtype);
  const length = y.shape.at(-1) ?? 1;
  if (y.size === 0) return dx;
  const variant = `softmax-${chooseRowForm(y.gpu, length, y.size / length)}` as const;
  gradKernel.run(y.gpu, variant, [y, contiguous(dy), dx], { rows: y.size / length, length, scale });
  return dx;
}
