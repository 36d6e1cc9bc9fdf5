import type { Gpu } from '../gpu/gpu.ts';
import type { ConstantValue, Workgroups } from '../gpu/pipelines.ts';
import type { Variant } from './define.ts';
import { grid1d } from './define.ts';
import * as wgsl from './shaders.gen.ts';

/**
 * Serial: one invocation per row, in workgroups of 64, or of 8 where few rows are to keep all cores of a software adapter
 * busy. Workgroup: 64 or 256 invocations share a row.
 */
export type RowForm = 'serial' | 'serial8' | 'workgroup64' | 'workgroup256';

const forms: Readonly<Record<RowForm, { readonly size: number; readonly library: string }>> = {
  serial: { size: 64, library: wgsl.libRowSerial },
  serial8: { size: 8, library: wgsl.libRowSerial },
  workgroup64: { size: 64, library: wgsl.libRowWorkgroup },
  workgroup256: { size: 256, library: wgsl.libRowWorkgroup },
};

/** The row forms of a kernel that works row by row, for each function in `ops` (constant OP). */
export function rowVariants<Op extends string>(
  ops: readonly Op[],
  libraries: readonly string[] = [],
  constants: Readonly<Record<string, ConstantValue>> = {},
): Readonly<Record<`${Op}-${RowForm}`, Variant>> {
  const variants: Record<string, Variant> = {};
  for (const [number, op] of ops.entries()) {
    for (const [form, { size, library }] of Object.entries(forms)) {
      variants[`${op}-${form}`] = {
        constants: { WORKGROUP_SIZE: size, ROW_SERIAL: library === wgsl.libRowSerial, OP: number, ...constants },
        libraries: [library, ...libraries],
      };
    }
  }
  return variants as Readonly<Record<`${Op}-${RowForm}`, Variant>>;
}

/** Rows of a software adapter that fill enough workgroups of 64. Of 64 rows of 32,000, one core did all the work. */
const manyRows = 512;

/** Barriers are costly on software adapters; on GPUs short rows are cheapest in one invocation each. */
export function chooseRowForm(gpu: Gpu, length: number, rows: number): RowForm {
  if (gpu.adapter.kind === 'software') return rows < manyRows ? 'serial8' : 'serial';
  if (length <= 8) return 'serial';
  return length <= 512 ? 'workgroup64' : 'workgroup256';
}

export function rowGrid(rows: number, constants: Readonly<Record<string, ConstantValue>>): Workgroups {
  return grid1d(rows, constants.ROW_SERIAL === true ? Number(constants.WORKGROUP_SIZE) : 1);
}
