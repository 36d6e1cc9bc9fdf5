import type { ConstantValue } from '../gpu/pipelines.ts';
import type { Variant } from './define.ts';
import * as wgsl from './shaders.gen.ts';

export const elementwiseWorkgroup = 256;

/** The scalar variant alone, for kernels that address single elements. */
export function scalarVariants<Op extends string>(
  ops: readonly Op[],
  libraries: readonly string[] = [],
): Readonly<Record<Op, Variant>> {
  const entries = ops.map((op, number): [Op, Variant] => [op, elementwiseVariant(number, 'scalar', libraries, {})]);
  return Object.fromEntries(entries) as Readonly<Record<Op, Variant>>;
}

function elementwiseVariant(
  number: number,
  width: 'scalar' | 'vec4',
  libraries: readonly string[],
  constants: Readonly<Record<string, ConstantValue>>,
): Variant {
  return {
    constants: { WORKGROUP_SIZE: elementwiseWorkgroup, OP: number, ...constants },
    libraries: [wgsl.libGrid, width === 'vec4' ? wgsl.libElementVec4 : wgsl.libElementScalar, ...libraries],
  };
}

/** A scalar and a vec4 variant for each function of an element-wise kernel; the function's number is the constant OP. */
export function elementwiseVariants<Op extends string>(
  ops: readonly Op[],
  libraries: readonly string[] = [],
  constants: Readonly<Record<string, ConstantValue>> = {},
): Readonly<Record<`${Op}-${'scalar' | 'vec4'}`, Variant>> {
  const variants: Record<string, Variant> = {};
  for (const [number, op] of ops.entries()) {
    for (const width of ['scalar', 'vec4'] as const) {
      variants[`${op}-${width}`] = elementwiseVariant(number, width, libraries, constants);
    }
  }
  return variants as Readonly<Record<`${Op}-${'scalar' | 'vec4'}`, Variant>>;
}

/** Width for dense arrays of `size` elements, and the number of Elements to process. */
export function elementWidth(size: number): { readonly width: 'scalar' | 'vec4'; readonly count: number } {
  return size > 0 && size % 4 === 0 ? { width: 'vec4', count: size / 4 } : { width: 'scalar', count: size };
}
