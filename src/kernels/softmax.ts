import type { Gpu } from '../gpu/gpu.ts';
import type { BindingAccess } from '../gpu/pipelines.ts';
import { contiguous } from './copy.ts';
import { defineKernel } from './define.ts';
import { requireF32 } from './dtype.ts';
import { NDArray } from './ndarray.ts';
import { axisLayout } from './reduceRows.ts';
import type { RowForm } from './rows.ts';
import { chooseRowForm, rowGrid, rowVariants } from './rows.ts';
import * as wgsl from './shaders.gen.ts';

/** In the order of the constants in `lib/softmaxRows.wgsl`. */
const softmaxOps = ['softmax', 'logSoftmax'] as const;
export type SoftmaxOp = (typeof softmaxOps)[number];

/** An Element is one float, four neighbours in a row, or one float of each of four neighbouring rows. */
const elements = {
  Single: { libraries: [wgsl.libElementScalar, wgsl.libSumScalar, wgsl.libSoftmaxRows], columns: false },
  Quad: { libraries: [wgsl.libElementVec4, wgsl.libSumVec4, wgsl.libSoftmaxRows], columns: false },
  Column: { libraries: [wgsl.libElementVec4, wgsl.libSumVec4, wgsl.libSoftmaxRows], columns: true },
} as const;
type ElementKind = keyof typeof elements;

function softmaxKernel(name: string, shader: string, kind: ElementKind, bindings: readonly BindingAccess[]) {
  const { libraries, columns } = elements[kind];
  return defineKernel({
    name: `${name}${kind}`,
    shader,
    params: { rows: 'u32', length: 'u32', stride: 'u32' },
    bindings,
    variants: rowVariants(softmaxOps, libraries, { COLUMNS: columns }),
    dispatch: ({ rows }, constants) => rowGrid(rows, constants),
    cost: ({ rows, length }) => {
      const floats = rows * length * (kind === 'Single' ? 1 : 4);
      return { flops: 4 * floats, bytes: 4 * floats * bindings.length };
    },
  });
}

function softmaxKernels(name: string, shader: string, bindings: readonly BindingAccess[]) {
  return {
    Single: softmaxKernel(name, shader, 'Single', bindings),
    Quad: softmaxKernel(name, shader, 'Quad', bindings),
    Column: softmaxKernel(name, shader, 'Column', bindings),
  };
}

const forwardKernels = softmaxKernels('softmax', wgsl.softmax, ['read', 'write']);
const gradKernels = softmaxKernels('softmaxGrad', wgsl.softmaxGrad, ['read', 'read', 'write']);

interface Plan {
  readonly kind: ElementKind;
  readonly form: RowForm;
  readonly params: { readonly rows: number; readonly length: number; readonly stride: number };
}

/** Columns from which one invocation each keeps a GPU busy. */
const manyColumns = 4096;

function plan(gpu: Gpu, x: NDArray, axis: number, what: string): Plan {
  const { outer, length, inner: stride } = axisLayout(x.shape, axis, what);
  const rows = outer * stride;
  if (stride === 1) {
    const [kind, unit] = length % 4 === 0 ? (['Quad', 4] as const) : (['Single', 1] as const);
    return { kind, form: chooseRowForm(gpu, length / unit, rows), params: { rows, length: length / unit, stride } };
  }
  const apart = gpu.adapter.kind === 'software' || rows >= manyColumns;
  if (apart && stride % 4 === 0) {
    const columns = rows / 4;
    const params = { rows: columns, length, stride: stride / 4 };
    return { kind: 'Column', form: chooseRowForm(gpu, 1, columns), params };
  }
  // A row of one invocation is chosen as if it were short.
  return { kind: 'Single', form: chooseRowForm(gpu, apart ? 1 : length, rows), params: { rows, length, stride } };
}

/** Softmax or its logarithm along `axis`; entries of -inf or -1e30 get the probability 0. */
export function softmax(op: SoftmaxOp, x: NDArray, axis: number): NDArray {
  requireF32(op, x);
  const y = NDArray.empty(x.gpu, x.shape);
  if (x.size === 0) return y;
  const { kind, form, params } = plan(x.gpu, x, axis, op);
  forwardKernels[kind].run(x.gpu, `${op}-${form}`, [contiguous(x), y], params);
  return y;
}

/** Gradient of `softmax` from its result `y`. */
export function softmaxGrad(op: SoftmaxOp, y: NDArray, dy: NDArray, axis: number): NDArray {
  const dx = NDArray.empty(y.gpu, y.shape);
  if (y.size === 0) return dx;
  const { kind, form, params } = plan(y.gpu, y, axis, op);
  gradKernels[kind].run(y.gpu, `${op}-${form}`, [y, contiguous(dy), dx], params);
  return dx;
}
