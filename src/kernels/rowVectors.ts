import { contiguous } from './copy.ts';
import { defineKernel, grid1d } from './define.ts';
import { elementwiseWorkgroup } from './elementwise.ts';
import { NDArray } from './ndarray.ts';
import { chooseRowForm, rowGrid, rowVariants } from './rows.ts';
import * as wgsl from './shaders.gen.ts';

const maskKernel = defineKernel({
  name: 'maskRows',
  shader: wgsl.maskRows,
  params: { count: 'u32', width: 'u32' },
  bindings: ['read', 'read', 'write'],
  variants: { plain: { constants: { WORKGROUP_SIZE: elementwiseWorkgroup }, libraries: [wgsl.libGrid] } },
  dispatch: ({ count }) => grid1d(count, elementwiseWorkgroup),
  cost: ({ count }) => ({ flops: 0, bytes: 8 * count }),
});

const projectionKernel = defineKernel({
  name: 'removeProjection',
  shader: wgsl.removeProjection,
  params: { rows: 'u32', width: 'u32', least: 'f32' },
  bindings: ['read', 'read', 'read', 'read', 'write'],
  variants: rowVariants(['measured', 'given']),
  dispatch: ({ rows }, constants) => rowGrid(rows, constants),
  cost: ({ rows, width }) => ({ flops: 4 * rows * width, bytes: 12 * rows * width }),
});

function widthOf(x: NDArray): number {
  return x.shape.at(-1) ?? 1;
}

/** A copy of `x` `[..., D]` with zeros in the rows whose entry of the i32 `mask` `[...]` is 0. */
export function maskRows(x: NDArray, mask: NDArray): NDArray {
  const y = NDArray.empty(x.gpu, x.shape);
  if (x.size > 0) {
    maskKernel.run(x.gpu, 'plain', [contiguous(x), contiguous(mask), y], { count: x.size, width: widthOf(x) });
  }
  return y;
}

/**
 * `g - x * along / |x|^2` row by row; without `along` it is `x . g`, so that the result is orthogonal to `x`.
 * Rows with a norm of at most `least` keep `g`.
 */
export function removeProjection(g: NDArray, x: NDArray, norms: NDArray, least: number, along?: NDArray): NDArray {
  const dx = NDArray.empty(g.gpu, g.shape);
  const width = widthOf(x);
  if (g.size === 0) return dx;
  const rows = g.size / width;
  projectionKernel.run(
    g.gpu,
    `${along ? 'given' : 'measured'}-${chooseRowForm(g.gpu, width, rows)}`,
    [contiguous(g), contiguous(x), norms, along ? contiguous(along) : norms, dx],
    { rows, width, least },
  );
  return dx;
}
