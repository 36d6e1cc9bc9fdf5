import { ShapeError } from '../gpu/errors.ts';
import { contiguous } from './copy.ts';
import { defineKernel, grid1d } from './define.ts';
import { fill } from './fill.ts';
import { NDArray } from './ndarray.ts';
import { reduce } from './reduce.ts';
import { chooseRowForm, rowGrid, rowVariants } from './rows.ts';
import * as wgsl from './shaders.gen.ts';
import { formatShape, sameShape } from './shape.ts';

/** In the order of the constants in `contrastLoss.wgsl`. */
const contrastOps = ['all', 'keys', 'pairs'] as const;

const lossKernel = defineKernel({
  name: 'contrastLoss',
  shader: wgsl.contrastLoss,
  params: { size: 'u32', strideLine: 'u32', strideEntry: 'u32', tau: 'f32' },
  bindings: ['read', 'read', 'write', 'write'],
  variants: rowVariants(contrastOps),
  dispatch: ({ size }, constants) => rowGrid(size, constants),
  cost: ({ size }) => ({ flops: 4 * size * size, bytes: 8 * size * size }),
});

const gradWorkgroup = 64;

const gradVariant = (op: number) =>
  ({ constants: { WORKGROUP_SIZE: gradWorkgroup, OP: op }, libraries: [wgsl.libGrid] }) as const;

const gradKernel = defineKernel({
  name: 'contrastLossGrad',
  shader: wgsl.contrastLossGrad,
  params: { size: 'u32', tau: 'f32' },
  bindings: ['read', 'read', 'read', 'read', 'read', 'read', 'write'],
  variants: { all: gradVariant(0), keys: gradVariant(1), pairs: gradVariant(2) },
  dispatch: ({ size }) => grid1d(size * size, gradWorkgroup),
  cost: ({ size }) => ({ flops: 10 * size * size, bytes: 12 * size * size }),
});

/** The two losses and what their gradient needs. */
export interface ContrastLoss {
  /** Scalar: images against reports (rows). */
  readonly lossVt: NDArray;
  /** Scalar: reports against images (columns). */
  readonly lossTv: NDArray;
  readonly similarity: NDArray;
  readonly rowStats: NDArray;
  readonly columnStats: NDArray;
  readonly duplicates: NDArray | undefined;
  readonly tau: number;
}

/** @throws ShapeError unless `duplicates` is undefined, or i32 `[B]` or `[B, B]`. */
export function checkDuplicates(duplicates: NDArray | undefined, batch: number): void {
  const fits = (shape: readonly number[]): boolean => sameShape(duplicates?.shape ?? [], shape);
  if (duplicates && (duplicates.dtype !== 'i32' || !(fits([batch]) || fits([batch, batch])))) {
    throw new ShapeError(
      `Duplicate reports are given by i32 keys [${batch}] or i32 pairs [${batch}, ${batch}], got ${duplicates.dtype} ` +
        `${formatShape(duplicates.shape)}.`,
    );
  }
}

function lossForm(duplicates: NDArray | undefined): (typeof contrastOps)[number] {
  if (!duplicates) return 'all';
  return duplicates.rank === 1 ? 'keys' : 'pairs';
}

/**
 * Mean cross entropies of the rows and of the columns of `similarity / tau` `[B, B]` against the diagonal
 * (equations 1-2 and 6-7 of the paper).
 * @param duplicates i32 keys `[B]`, equal for equal reports, or i32 `[B, B]` with 1 for pairs of equal reports: such pairs
 *   are left out of both softmaxes
 */
export function contrastLoss(similarity: NDArray, tau: number, duplicates: NDArray | undefined): ContrastLoss {
  const { gpu } = similarity;
  const size = similarity.shape[0] ?? 0;
  const lines = (strideLine: number, strideEntry: number): { mean: NDArray; stats: NDArray } => {
    const losses = NDArray.empty(gpu, [size]);
    const stats = NDArray.empty(gpu, [size, 4]);
    const variant = `${lossForm(duplicates)}-${chooseRowForm(gpu, size, size)}` as const;
    const arrays = [similarity, duplicates ? contiguous(duplicates) : similarity, losses, stats];
    lossKernel.run(gpu, variant, arrays, { size, strideLine, strideEntry, tau });
    const mean = reduce('mean', losses, null);
    losses.dispose();
    return { mean, stats };
  };
  const rows = lines(size, 1);
  const columns = lines(1, size);
  return {
    lossVt: rows.mean,
    lossTv: columns.mean,
    similarity,
    rowStats: rows.stats,
    columnStats: columns.stats,
    duplicates,
    tau,
  };
}

/** Gradient of the similarities `[B, B]` from those of the two losses (0 where left out), which stay on the GPU. */
export function contrastLossGrad(
  loss: ContrastLoss,
  dLossVt: NDArray | undefined,
  dLossTv: NDArray | undefined,
): NDArray {
  const { similarity, duplicates } = loss;
  const { gpu } = similarity;
  const size = similarity.shape[0] ?? 0;
  const d = NDArray.empty(gpu, [size, size]);
  const scalar = (x: NDArray | undefined): NDArray => contiguous(x ?? fill(gpu, [], 0));
  gradKernel.run(
    gpu,
    lossForm(duplicates),
    [
      similarity,
      duplicates ? contiguous(duplicates) : similarity,
      loss.rowStats,
      loss.columnStats,
      scalar(dLossVt),
      scalar(dLossTv),
      d,
    ],
    { size, tau: loss.tau },
  );
  return d;
}
