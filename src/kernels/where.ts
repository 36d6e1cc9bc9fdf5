import { ShapeError } from '../gpu/errors.ts';
import { copy } from './copy.ts';
import { defineKernel, grid1d } from './define.ts';
import { elementwiseWorkgroup } from './elementwise.ts';
import { NDArray } from './ndarray.ts';
import * as wgsl from './shaders.gen.ts';
import { broadcastShapes, broadcastStrides, mergeAxes } from './shape.ts';

const whereKernel = defineKernel({
  name: 'where',
  shader: wgsl.where,
  params: {
    count: 'u32',
    size1: 'u32',
    size2: 'u32',
    c0: 'u32',
    c1: 'u32',
    c2: 'u32',
    a0: 'u32',
    a1: 'u32',
    a2: 'u32',
    b0: 'u32',
    b1: 'u32',
    b2: 'u32',
    startC: 'u32',
    startA: 'u32',
    startB: 'u32',
  },
  bindings: ['read', 'read', 'read', 'write'],
  variants: { plain: { constants: { WORKGROUP_SIZE: elementwiseWorkgroup }, libraries: [wgsl.libGrid] } },
  dispatch: ({ count }) => grid1d(count, elementwiseWorkgroup),
  cost: ({ count }) => ({ flops: 0, bytes: 16 * count }),
});

/** Merged axes that the kernel walks; broadcasts with more of them are materialised first. */
const whereRank = 3;

/**
 * `condition != 0 ? a : b`, all three broadcast.
 * @throws ShapeError if the shapes do not fit, the dtypes of `a` and `b` differ, or the condition is not of integers.
 */
export function where(condition: NDArray, a: NDArray, b: NDArray): NDArray {
  if (condition.dtype === 'f32') {
    throw new ShapeError('where: the condition has dtype f32; expected i32, u32 or bool, where 0 selects b.');
  }
  if (a.dtype !== b.dtype) throw new ShapeError(`where: cannot choose between ${a.dtype} and ${b.dtype} values.`);
  const shape = broadcastShapes('where', condition.shape, a.shape, b.shape);
  const y = NDArray.empty(a.gpu, shape, a.dtype);
  if (y.size === 0) return y;
  const views = [condition, a, b].map((x) => x.view(shape, broadcastStrides(x.shape, x.strides, shape)));
  const [sizes, strides] = mergeAxes(
    shape,
    views.map((view) => view.strides),
  );
  if (sizes.length > whereRank) {
    y.dispose();
    const [denseCondition = condition, denseA = a, denseB = b] = views.map(copy);
    return where(denseCondition, denseA, denseB);
  }
  const stride = (operand: number, axis: number): number =>
    (strides[operand]?.[axis - (whereRank - sizes.length)] ?? 0) >>> 0;
  const size = (axis: number): number => sizes[axis - (whereRank - sizes.length)] ?? 1;
  const start = (x: NDArray): number => (x.isDense ? 0 : x.offset);
  whereKernel.run(a.gpu, 'plain', [condition, a, b, y], {
    count: y.size,
    size1: size(1),
    size2: size(2),
    c0: stride(0, 0),
    c1: stride(0, 1),
    c2: stride(0, 2),
    a0: stride(1, 0),
    a1: stride(1, 1),
    a2: stride(1, 2),
    b0: stride(2, 0),
    b1: stride(2, 1),
    b2: stride(2, 2),
    startC: start(condition),
    startA: start(a),
    startB: start(b),
  });
  return y;
}
