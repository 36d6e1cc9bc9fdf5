import { ShapeError } from '../gpu/errors.ts';
import { contiguous } from './copy.ts';
import { defineKernel, grid1d } from './define.ts';
import { requireF32 } from './dtype.ts';
import { elementwiseWorkgroup } from './elementwise.ts';
import { NDArray } from './ndarray.ts';
import { chooseRowForm, rowGrid, rowVariants } from './rows.ts';
import * as wgsl from './shaders.gen.ts';
import { formatShape } from './shape.ts';

const crossEntropyKernel = defineKernel({
  name: 'crossEntropy',
  shader: wgsl.crossEntropy,
  params: { rows: 'u32', classes: 'u32' },
  bindings: ['read', 'read', 'write', 'write'],
  variants: rowVariants(['loss']),
  dispatch: ({ rows }, constants) => rowGrid(rows, constants),
  cost: ({ rows, classes }) => ({ flops: 4 * rows * classes, bytes: 4 * rows * classes }),
});

const crossEntropyGradKernel = defineKernel({
  name: 'crossEntropyGrad',
  shader: wgsl.crossEntropyGrad,
  params: { count: 'u32', classes: 'u32', scale: 'f32', perRow: 'u32' },
  bindings: ['read', 'read', 'read', 'read', 'write'],
  variants: { plain: { constants: { WORKGROUP_SIZE: elementwiseWorkgroup }, libraries: [wgsl.libGrid] } },
  dispatch: ({ count }) => grid1d(count, elementwiseWorkgroup),
  cost: ({ count }) => ({ flops: 5 * count, bytes: 8 * count }),
});

export interface CrossEntropy {
  /** `[rows]` */
  readonly loss: NDArray;
  /** `[rows, 2]`: maximum of the row and sum of exponentials above it, for the gradient. */
  readonly stats: NDArray;
}

/** Loss of each row of `logits` `[rows, classes]` with `labels` i32 `[rows]`, which are clamped to `[0, classes)`. */
export function crossEntropy(logits: NDArray, labels: NDArray): CrossEntropy {
  requireF32('crossEntropy', logits);
  const [rows = 0, classes = 0] = logits.shape;
  if (logits.rank !== 2 || labels.rank !== 1 || labels.size !== rows || labels.dtype !== 'i32') {
    throw new ShapeError(
      `crossEntropy: logits ${formatShape(logits.shape)} with ${labels.dtype} labels ${formatShape(labels.shape)}; ` +
        'expected logits [rows, classes] and i32 labels [rows].',
    );
  }
  if (classes === 0) throw new ShapeError('crossEntropy: the logits have no classes.');
  const loss = NDArray.empty(logits.gpu, [rows]);
  const stats = NDArray.empty(logits.gpu, [rows, 2]);
  if (rows > 0) {
    const variant = `loss-${chooseRowForm(logits.gpu, classes, rows)}` as const;
    const arrays = [contiguous(logits), contiguous(labels), loss, stats];
    crossEntropyKernel.run(logits.gpu, variant, arrays, { rows, classes });
  }
  return { loss, stats };
}

/** Gradient of the logits; `dy` has one element per row, or a single one that counts for all. Times `scale`. */
export function crossEntropyGrad(
  logits: NDArray,
  labels: NDArray,
  stats: NDArray,
  dy: NDArray,
  scale: number,
): NDArray {
  const dx = NDArray.empty(logits.gpu, logits.shape);
  const arrays = [contiguous(logits), contiguous(labels), stats, contiguous(dy), dx];
  const params = { count: dx.size, classes: logits.shape[1] ?? 1, scale, perRow: dy.rank };
  if (dx.size > 0) crossEntropyGradKernel.run(logits.gpu, 'plain', arrays, params);
  return dx;
}
