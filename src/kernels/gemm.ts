import { subgroupMatrixFeature } from '../gpu/adapter.ts';
import type { Gpu } from '../gpu/gpu.ts';
import type { ConstantValue, Workgroups } from '../gpu/pipelines.ts';
import type { Variant } from './define.ts';
import { grid1d, supportsVariant } from './define.ts';
import type { DType } from './dtype.ts';
import type { ResultTarget } from './ndarray.ts';
import { NDArray } from './ndarray.ts';
import { reduceRows } from './reduceRows.ts';
import * as wgsl from './shaders.gen.ts';
import type { Shape } from './shape.ts';
import { numel } from './shape.ts';

/** How a matrix product is cut: `tile<rows>x<cols>`, or one number where both are the same. */
export type GemmCore = (typeof gemmCores)[number];
export type GemmLoads = 'vec4' | 'scalar';

/** `Wide`, `Widest`: eight, sixteen columns per lane. `Deep`: 16 steps per tile, not 8. `Fine`: 4x4 results per invocation, not 8x8. */
export const gemmCores = [
  'matrix64',
  'matrix128',
  'matrixEmulated',
  'subgroup4',
  'subgroup4Wide',
  'subgroup4Widest',
  'subgroup8',
  'subgroup8Wide',
  'tile32',
  'tile64',
  'tile64Deep',
  'tile64Fine',
  'tile128',
  'tile128Deep',
  'tile64x128',
  'tile128x64',
  'tile32x128',
  'tile128x32',
] as const;

interface CoreShape {
  readonly rows: number;
  readonly cols: number;
  readonly variant: Variant;
}

/** 8x8 results per invocation, as 8 rows of two vec4; in a tile 32 wide or high 4 rows or one vec4. */
function tiled(rows: number, cols: number, { deep = false, fine = false } = {}): CoreShape {
  const depth = deep ? 16 : 8;
  const microRows = fine || rows === 32 ? 4 : 8;
  const microCols4 = fine || cols === 32 ? 1 : 2;
  return {
    rows,
    cols,
    variant: {
      constants: {
        TILE_M: rows,
        TILE_N: cols,
        TILE_K: depth,
        DEPTH_STEP: depth,
        MICRO_M: microRows,
        MICRO_N4: microCols4,
      },
      libraries: [wgsl.libTileOrder, wgsl.libGemmTiled],
      invocations: (rows / microRows) * (cols / (4 * microCols4)),
      workgroupBytes: 2 * depth * (rows + cols) * 4,
    },
  };
}

function subgroup(lanes: number, cols4: 1 | 2 | 4 = 1): CoreShape {
  return {
    rows: 16,
    cols: 4 * cols4 * lanes,
    variant: {
      constants: { LANES: lanes, COLS4: cols4, DEPTH_STEP: 4 },
      libraries: [wgsl.libGemmSubgroup],
      features: ['subgroups'],
      subgroupSize: lanes,
    },
  };
}

/** Tiles of `rows` x `cols` 16 x 16 fragments for each of the subgroups, on tensor cores or emulated for tests. */
function matrix(tile: number, rows: number, cols: number, library: string): CoreShape {
  const native = library === wgsl.libMatrixNative;
  const subgroups = (tile / (16 * rows)) * (tile / (16 * cols));
  return {
    rows: tile,
    cols: tile,
    variant: {
      constants: { TILE_M: tile, TILE_N: tile, TILE_K: 16, DEPTH_STEP: 16, FRAGMENTS_M: rows, FRAGMENTS_N: cols },
      libraries: [wgsl.libTileOrder, library, wgsl.libGemmMatrix],
      features: ['shader-f16', ...(native ? [subgroupMatrixFeature] : [])],
      ...(native ? { subgroupSize: 32, halfMatrices: true } : {}),
      invocations: subgroups * 32,
      // Two buffers of both f16 tiles, whose lines are up to eight elements longer, and a fragment per subgroup.
      workgroupBytes: 2 * 2 * 2 * tile * (16 + 8) + subgroups * 16 * 16 * 4,
    },
  };
}

const cores: Readonly<Record<GemmCore, CoreShape>> = {
  subgroup4: subgroup(4),
  subgroup4Wide: subgroup(4, 2),
  subgroup4Widest: subgroup(4, 4),
  subgroup8: subgroup(8),
  subgroup8Wide: subgroup(8, 2),
  tile32: tiled(32, 32),
  tile64: tiled(64, 64),
  tile64Deep: tiled(64, 64, { deep: true }),
  tile64Fine: tiled(64, 64, { fine: true }),
  tile128: tiled(128, 128),
  tile128Deep: tiled(128, 128, { deep: true }),
  tile64x128: tiled(64, 128),
  tile128x64: tiled(128, 64),
  tile32x128: tiled(32, 128),
  tile128x32: tiled(128, 32),
  matrix64: matrix(64, 2, 2, wgsl.libMatrixNative),
  matrix128: matrix(128, 4, 2, wgsl.libMatrixNative),
  matrixEmulated: matrix(64, 2, 2, wgsl.libMatrixEmulated),
};

/** Variants of a kernel built on the matrix product cores: every core with vec4 and with scalar loads. */
export function gemmVariants<F extends string>(
  forms: Readonly<Record<F, Readonly<Record<string, ConstantValue>>>>,
): Readonly<Record<`${GemmCore}-${GemmLoads}-${F}`, Variant>> {
  const variants: Record<string, Variant> = {};
  for (const [coreName, core] of Object.entries(cores)) {
    for (const loads of ['vec4', 'scalar'] as const) {
      for (const [form, constants] of Object.entries<Readonly<Record<string, ConstantValue>>>(forms)) {
        variants[`${coreName}-${loads}-${form}`] = {
          ...core.variant,
          constants: { ...core.variant.constants, ALIGNED: loads === 'vec4', ACCUMULATE: false, ...constants },
          libraries: [loads === 'vec4' ? wgsl.libGemmVec4 : wgsl.libGemmScalar, ...(core.variant.libraries ?? [])],
        };
      }
    }
  }
  return variants as Readonly<Record<`${GemmCore}-${GemmLoads}-${F}`, Variant>>;
}

/** Workgroups of a product of `rows` x `cols` with `slices` results in z. */
export function gemmGrid(
  rows: number,
  cols: number,
  slices: number,
  constants: Readonly<Record<string, ConstantValue>>,
): Workgroups {
  const lanes = Number(constants.LANES ?? 0);
  const tileRows = lanes > 0 ? 16 : Number(constants.TILE_M);
  const tileCols = lanes > 0 ? 4 * Number(constants.COLS4) * lanes : Number(constants.TILE_N);
  const [x, y] = grid1d(Math.ceil(rows / tileRows) * Math.ceil(cols / tileCols), 1);
  return [x, y, slices];
}

/** Where the kernels of a product write: to the result, or to partial results of its splits. */
export interface GemmOutput {
  readonly result: NDArray;
  readonly written: NDArray;
  /** Form of the kernel: `Add` after its name adds to the result. */
  readonly form: '' | 'Add';
}

/**
 * Output of a product with `splits` parts `batch` times. A target is used unless partial results would have to be added
 * to what it holds.
 */
export function gemmOutput(
  gpu: Gpu,
  shape: Shape,
  { splits }: GemmPlan,
  { dtype = 'f32', target, batch = 1 }: { dtype?: DType; target?: ResultTarget | undefined; batch?: number },
): GemmOutput {
  const usable = target && !(splits > 1 && target.accumulate) && target.array.dtype === dtype ? target : undefined;
  const result = usable?.array ?? NDArray.empty(gpu, shape, dtype);
  const written = splits > 1 ? NDArray.empty(gpu, [batch, splits, numel(shape) / batch]) : result;
  return { result, written, form: usable?.accumulate ? 'Add' : '' };
}

export interface GemmPlan {
  readonly core: GemmCore;
  /** Parts of the inner dimension that are multiplied apart and then added in order. */
  readonly splits: number;
  /** Steps per part, a multiple of four. */
  readonly splitDepth: number;
}

/** Workgroups that keep a device busy. */
const wantedWorkgroups = { hardware: 256, software: 4 };
/** Longest chain of additions in one accumulator before a split pays for accuracy as well. */
const longestChain = 8192;

/** Whether the device can run a core. */
export function supportsCore({ device, adapter }: Gpu, core: GemmCore): boolean {
  return supportsVariant(cores[core].variant, device, adapter);
}

/** Results that a workgroup of a core makes. */
export function blockOf(core: GemmCore): { readonly rows: number; readonly cols: number } {
  return cores[core];
}

/** A plan with about `wanted` splits: more where a chain of additions would get too long, none that would be empty. */
export function splitDepthInto(core: GemmCore, wanted: number, depth: number): GemmPlan {
  const splits = Math.max(1, wanted, Math.ceil(depth / longestChain));
  const splitDepth = Math.max(4, Math.ceil(depth / splits / 4) * 4);
  return { core, splits: Math.max(1, Math.ceil(depth / splitDepth)), splitDepth };
}

function chooseCore(gpu: Gpu, rows: number, cols: number, batch: number, half: boolean): GemmCore {
  const { adapter } = gpu;
  const runs = (core: GemmCore): boolean => supportsCore(gpu, core);
  if (adapter.kind === 'software') {
    if (runs('subgroup8')) return 'subgroup8';
    if (runs('subgroup4')) return cols > 32 ? 'subgroup4Widest' : cols > 16 ? 'subgroup4Wide' : 'subgroup4';
  }
  if (half && adapter.halfMatrices === 'emulated') return 'matrixEmulated';
  const workgroups = (tile: number): number => Math.ceil(rows / tile) * Math.ceil(cols / tile) * batch;
  if (half && runs('matrix128')) return workgroups(128) >= wantedWorkgroups.hardware / 2 ? 'matrix128' : 'matrix64';
  if (workgroups(128) >= wantedWorkgroups.hardware && runs('tile128')) return 'tile128';
  return workgroups(64) >= wantedWorkgroups.hardware / 2 || Math.min(rows, cols) >= 64 ? 'tile64' : 'tile32';
}

/**
 * The core and the split of a product of `rows` x `depth` by `depth` x `cols`, `batch` times, by rules that hold for any
 * device; `planProduct` knows better ones for those that were measured.
 * @param half whether an operand is f16, so that tensor cores lose nothing that was there
 */
export function planGemm(gpu: Gpu, rows: number, cols: number, depth: number, batch: number, half: boolean): GemmPlan {
  const core = chooseCore(gpu, rows, cols, batch, half);
  const shape = cores[core];
  const workgroups = Math.max(1, Math.ceil(rows / shape.rows) * Math.ceil(cols / shape.cols) * batch);
  const forOccupancy = Math.min(Math.floor(wantedWorkgroups[gpu.adapter.kind] / workgroups), Math.floor(depth / 256));
  return splitDepthInto(core, forOccupancy, depth);
}

/** Adds the partial results `[batch, splits, ...]` of a split product, if it was split, and returns the result. */
export function finishGemm({ result, written }: GemmOutput, batch: number, splits: number): NDArray {
  if (written === result) return result;
  reduceRows('sum', written, result, { outer: batch, length: splits, inner: result.size / batch });
  written.dispose();
  return result;
}
