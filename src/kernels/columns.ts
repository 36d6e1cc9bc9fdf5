import type { Gpu } from '../gpu/gpu.ts';
import * as wgsl from './shaders.gen.ts';

/** A dense array seen as `[rows, channels]`, cut for kernels that walk down the columns. */
export interface ColumnPlan {
  readonly width: 'vec4' | 'scalar';
  /** Elements (one or four channels) per row. */
  readonly columns: number;
  readonly rows: number;
  readonly chunkRows: number;
  readonly chunks: number;
}

/** Invocations that keep a device busy with loads; more only make the second stage longer. */
const wantedInvocations = { hardware: 32_768, software: 512 };
/** Rows that pay for writing a partial result. */
const fewestRows = 16;

/** Cuts `[rows, channels]` into chunks of rows, one invocation per chunk and column. */
export function planColumns(gpu: Gpu, rows: number, channels: number): ColumnPlan {
  const width = channels % 4 === 0 ? 'vec4' : 'scalar';
  const columns = width === 'vec4' ? channels / 4 : channels;
  const wantedChunks = Math.ceil(wantedInvocations[gpu.adapter.kind] / columns);
  const chunkRows = Math.max(fewestRows, Math.ceil(rows / wantedChunks));
  return { width, columns, rows, chunkRows, chunks: Math.ceil(rows / chunkRows) };
}

export const columnWorkgroup = 64;

/** Libraries of a column kernel for one or four channels per invocation. */
export const columnLibraries: Readonly<Record<'vec4' | 'scalar', readonly string[]>> = {
  vec4: [wgsl.libGrid, wgsl.libElementVec4],
  scalar: [wgsl.libGrid, wgsl.libElementScalar],
};
