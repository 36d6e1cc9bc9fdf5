import { contiguous, copy } from './copy.ts';
import type { Variant } from './define.ts';
import { defineKernel, grid1d } from './define.ts';
import { requireFloat } from './dtype.ts';
import { elementWidth, elementwiseVariants, elementwiseWorkgroup } from './elementwise.ts';
import { NDArray } from './ndarray.ts';
import * as wgsl from './shaders.gen.ts';
import { broadcastShapes, broadcastStrides, mergeAxes, sameShape } from './shape.ts';

const binaryOps = ['add', 'sub', 'mul', 'div', 'maximum', 'maximumShare'] as const;
export type BinaryOp = (typeof binaryOps)[number];

const denseKernel = defineKernel({
  name: 'binary',
  shader: wgsl.binary,
  params: { count: 'u32' },
  bindings: ['read', 'read', 'write'],
  typed: [0, 1, 2],
  variants: elementwiseVariants(binaryOps, [wgsl.libBinaryOps]),
  dispatch: ({ count }) => grid1d(count, elementwiseWorkgroup),
  cost: ({ count }) => ({ flops: count, bytes: 12 * count }),
});

/** Numbers of merged axes that the strided kernel has a variant for; with more, operands are materialised first. */
const stridedRanks = [2, 4] as const;
/** How operands are read: element by element, or four at once, where one of them may repeat one element. */
const reads = {
  scalar: [wgsl.libElementScalar, wgsl.libOperandsFull],
  full: [wgsl.libElementVec4, wgsl.libOperandsFull],
  splatA: [wgsl.libElementVec4, wgsl.libOperandsSplatA],
  splatB: [wgsl.libElementVec4, wgsl.libOperandsSplatB],
} as const satisfies Readonly<Record<string, readonly string[]>>;
type Read = keyof typeof reads;

function stridedVariants(): Readonly<Record<`${BinaryOp}-${(typeof stridedRanks)[number]}-${Read}`, Variant>> {
  const variants: Record<string, Variant> = {};
  for (const [number, op] of binaryOps.entries()) {
    for (const rank of stridedRanks) {
      for (const [read, libraries] of Object.entries(reads)) {
        variants[`${op}-${rank}-${read}`] = {
          constants: { WORKGROUP_SIZE: elementwiseWorkgroup, OP: number, RANK: rank },
          libraries: [wgsl.libGrid, ...libraries, wgsl.libBinaryOps],
        };
      }
    }
  }
  return variants as ReturnType<typeof stridedVariants>;
}

const stridedKernel = defineKernel({
  name: 'binaryStrided',
  shader: wgsl.binaryStrided,
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
  typed: [0, 1, 2],
  variants: stridedVariants(),
  dispatch: ({ count }) => grid1d(count, elementwiseWorkgroup),
  cost: ({ count }) => ({ flops: count, bytes: 12 * count }),
});

interface Operand {
  /** Along the merged axes. */
  readonly strides: readonly number[];
  readonly start: number;
}

/** Whether an operand of a vec4 kernel is read four elements at a time, as one repeated element, or neither. */
function quadRead({ strides, start }: Operand): 'full' | 'splat' | undefined {
  if (strides.at(-1) === 0) return 'splat';
  return strides.at(-1) === 1 && [start, ...strides.slice(0, -1)].every((n) => n % 4 === 0) ? 'full' : undefined;
}

function chooseRead(sizes: readonly number[], a: Operand, b: Operand): Read {
  const [readA, readB] = [quadRead(a), quadRead(b)];
  if ((sizes.at(-1) ?? 1) % 4 !== 0 || !readA || !readB) return 'scalar';
  if (readA === 'full') return readB === 'full' ? 'full' : 'splatB';
  return readB === 'full' ? 'splatA' : 'scalar';
}

/** Strides and start in units of what the operand is bound as; the innermost stride is then 1 or 0 as before. */
function inUnits({ strides, start }: Operand, unit: number): (axis: number) => number {
  const inner = strides.length - 1;
  return (axis) => (axis < 0 ? start / unit : ((strides[axis] ?? 0) / (axis === inner ? 1 : unit)) >>> 0);
}

/** `f(a, b)` with NumPy broadcasting, of a's dtype. @throws ShapeError if the shapes do not fit. */
export function binary(op: BinaryOp, a: NDArray, b: NDArray): NDArray {
  requireFloat(op, a);
  requireFloat(op, b);
  const shape = broadcastShapes(op, a.shape, b.shape);
  const y = NDArray.empty(a.gpu, shape, a.dtype);
  if (y.size === 0) return y;
  if (sameShape(a.shape, b.shape) && a.isDense && b.isDense) {
    const { width, count } = elementWidth(y.size);
    denseKernel.run(a.gpu, `${op}-${width}`, [a, b, y], { count });
    return y;
  }
  const viewA = broadcastStrides(a.shape, a.strides, shape);
  const viewB = broadcastStrides(b.shape, b.strides, shape);
  const [sizes, [stridesA = [], stridesB = []]] = mergeAxes(shape, [viewA, viewB]);
  const rank = stridedRanks.find((known) => known >= sizes.length);
  if (!rank) {
    y.dispose();
    return binary(op, copy(a.view(shape, viewA)), copy(b.view(shape, viewB)));
  }
  const operandA = { strides: stridesA, start: a.isDense ? 0 : a.offset };
  const operandB = { strides: stridesB, start: b.isDense ? 0 : b.offset };
  const read = chooseRead(sizes, operandA, operandB);
  const unit = read === 'scalar' ? 1 : 4;
  const fromA = inUnits(operandA, read === 'splatA' ? 1 : unit);
  const fromB = inUnits(operandB, read === 'splatB' ? 1 : unit);
  // Axis 0 of the shader is the outermost one.
  const size = (axis: number): number => (sizes[axis] ?? 1) / (axis === sizes.length - 1 ? unit : 1);
  stridedKernel.run(a.gpu, `${op}-${rank}-${read}`, [a, b, y], {
    count: y.size / unit,
    size1: size(1),
    size2: size(2),
    size3: size(3),
    a0: fromA(0),
    a1: fromA(1),
    a2: fromA(2),
    a3: fromA(3),
    b0: fromB(0),
    b1: fromB(1),
    b2: fromB(2),
    b3: fromB(3),
    startA: fromA(-1),
    startB: fromB(-1),
  });
  return y;
}

const accumulateKernel = defineKernel({
  name: 'accumulate',
  shader: wgsl.accumulate,
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
