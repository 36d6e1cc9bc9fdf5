import { contiguous, copy } from './copy.ts';
import { defineKernel, grid1d } from './define.ts';
import { elementWidth, elementwiseVariants, elementwiseWorkgroup, scalarVariants } from './elementwise.ts';
import { NDArray } from './ndarray.ts';
import { broadcastShapes, broadcastStrides, mergeAxes, sameShape } from './shape.ts';

const binaryOps = ['add', 'sub', 'mul', 'div', 'maximum', 'maximumShare'] as const;
export type BinaryOp = (typeof binaryOps)[number];

const denseKernel = defineKernel({
  name: 'binary',
  shader: 'binary',
  params: { count: 'u32' },
  bindings: ['read', 'read', 'write'],
  variants: elementwiseVariants(binaryOps, ['lib/binaryOps']),
  dispatch: ({ count }) => grid1d(count, elementwiseWorkgroup),
  cost: ({ count }) => ({ flops: count, bytes: 12 * count }),
});

const stridedKernel = defineKernel({
  name: 'binaryStrided',
  shader: 'binaryStrided',
  params: {
    count: 'u32',
    size1: 'u32',
    size2: 'u32',
    size3: 'u32',
    a0: 'u32',
    a1: 'u32',
    a2: 'u32',
    a3: 'u32',
    b0: 'u32',
    b1: 'u32',
    b2: 'u32',
    b3: 'u32',
    startA: 'u32',
    startB: 'u32',
  },
  bindings: ['read', 'read', 'write'],
  variants: scalarVariants(binaryOps, ['lib/binaryOps']),
  dispatch: ({ count }) => grid1d(count, elementwiseWorkgroup),
  cost: ({ count }) => ({ flops: count, bytes: 12 * count }),
});

/** Merged axes that the strided kernel walks; broadcasts with more of them are materialised first. */
const stridedRank = 4;

/** `f(a, b)` with NumPy broadcasting, f32. @throws ShapeError if the shapes do not fit. */
export function binary(op: BinaryOp, a: NDArray, b: NDArray): NDArray {
  const shape = broadcastShapes(op, a.shape, b.shape);
  const y = NDArray.empty(a.gpu, shape);
  if (y.size === 0) return y;
  if (sameShape(a.shape, b.shape) && a.isDense && b.isDense) {
    const { width, count } = elementWidth(y.size);
    denseKernel.run(a.gpu, `${op}-${width}`, [a, b, y], { count });
    return y;
  }
  const viewA = broadcastStrides(a.shape, a.strides, shape);
  const viewB = broadcastStrides(b.shape, b.strides, shape);
  const [sizes, [stridesA = [], stridesB = []]] = mergeAxes(shape, [viewA, viewB]);
  if (sizes.length > stridedRank) {
    y.dispose();
    return binary(op, copy(a.view(shape, viewA)), copy(b.view(shape, viewB)));
  }
  const pick = (values: readonly number[], axis: number, otherwise: number): number =>
    (values[axis - (stridedRank - sizes.length)] ?? otherwise) >>> 0;
  stridedKernel.run(a.gpu, op, [a, b, y], {
    count: y.size,
    size1: pick(sizes, 1, 1),
    size2: pick(sizes, 2, 1),
    size3: pick(sizes, 3, 1),
    a0: pick(stridesA, 0, 0),
    a1: pick(stridesA, 1, 0),
    a2: pick(stridesA, 2, 0),
    a3: pick(stridesA, 3, 0),
    b0: pick(stridesB, 0, 0),
    b1: pick(stridesB, 1, 0),
    b2: pick(stridesB, 2, 0),
    b3: pick(stridesB, 3, 0),
    startA: a.isDense ? 0 : a.offset,
    startB: b.isDense ? 0 : b.offset,
  });
  return y;
}

const accumulateKernel = defineKernel({
  name: 'accumulate',
  shader: 'accumulate',
  params: { count: 'u32', scale: 'f32' },
  bindings: ['read', 'write'],
  variants: elementwiseVariants(['add']),
  dispatch: ({ count }) => grid1d(count, elementwiseWorkgroup),
  cost: ({ count }) => ({ flops: 2 * count, bytes: 12 * count }),
});

/** `target += scale * x` in place; `target` is dense and in another buffer than `x`. */
export function accumulate(target: NDArray, x: NDArray, scale = 1): void {
  const { width, count } = elementWidth(target.size);
  if (count > 0) accumulateKernel.run(target.gpu, `add-${width}`, [contiguous(x), target], { count, scale });
}
