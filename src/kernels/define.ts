import type { AdapterSummary } from '../gpu/adapter.ts';
import { ShapeError } from '../gpu/errors.ts';
import type { Gpu } from '../gpu/gpu.ts';
import type { LiveParams, ParamSpec, ParamValues } from '../gpu/params.ts';
import { paramLayout } from '../gpu/params.ts';
import type { BindingAccess, ConstantValue, Cost, Program, Workgroups } from '../gpu/pipelines.ts';
import type { DType } from './dtype.ts';
import type { NDArray } from './ndarray.ts';
import type { ShaderName } from './shaders.gen.ts';
import { shaders } from './shaders.gen.ts';

/** One compiled form of a kernel: its compile-time constants, helper files and what it needs of the device. */
export interface Variant {
  readonly constants?: Readonly<Record<string, ConstantValue>>;
  /** Files of `shaders/` put in front of the kernel's own, e.g. `lib/rowSerial`. */
  readonly libraries?: readonly ShaderName[];
  readonly features?: readonly GPUFeatureName[];
  /** Fixed subgroup size the variant relies on. */
  readonly subgroupSize?: number;
  /** Needs 16 x 16 x 16 subgroup matrices of f16 that add up in f32 (tensor cores). */
  readonly halfMatrices?: boolean;
  /** Bytes of workgroup memory and invocations per workgroup, where they exceed WebGPU's guaranteed 16 KiB and 256. */
  readonly workgroupBytes?: number;
  readonly invocations?: number;
}

export interface KernelDefinition<P extends ParamSpec, V extends string> {
  readonly name: string;
  /** A file of `shaders/`, or WGSL with an entry point `main`. */
  readonly shader: ShaderName | (string & {});
  readonly params: P;
  /** Access of each storage binding of group 0, in order. */
  readonly bindings: readonly BindingAccess[];
  /**
   * Bindings whose arrays may have another element type than f32 (f16, or whatever a kernel only moves). The WGSL finds
   * the type of binding i in the alias `Scalar<i>`, and as wide as an Element in `Stored<i>` of `lib/element*.wgsl`.
   */
  readonly typed?: readonly number[];
  readonly variants: Readonly<Record<V, Variant>>;
  /** Workgroups for the given parameters. */
  readonly dispatch: (params: ParamValues<P>, constants: Readonly<Record<string, ConstantValue>>) => Workgroups;
  /** In f32; parameters that count Elements may be taken as they are. */
  readonly cost: (params: ParamValues<P>) => Cost;
}

export interface Kernel<P extends ParamSpec, V extends string> extends KernelDefinition<P, V> {
  /**
   * Records one dispatch. Arrays must be contiguous or addressed through `params`; the whole buffer range is bound.
   * Values of `live` go over those of `params`, and are asked for again whenever a capture is replayed.
   */
  readonly run: (
    gpu: Gpu,
    variant: V,
    arrays: readonly NDArray[],
    params: ParamValues<P>,
    live?: { readonly [K in keyof P]?: () => number },
  ) => void;
}

/** What the tests and tools need of any kernel, whatever its parameters. */
export interface RegisteredKernel {
  readonly name: string;
  readonly variants: Readonly<Record<string, Variant>>;
  /** Bindings that may hold f16. */
  readonly typed: readonly number[];
  readonly program: (variant: string, types?: ElementTypes) => Program;
}

/** Element types of the bindings that are not f32. */
export type ElementTypes = ReadonlyMap<number, DType>;

const registry: RegisteredKernel[] = [];

/** Every kernel whose module has been imported; `src/kernels/index.ts` imports all of them. */
export function registeredKernels(): readonly RegisteredKernel[] {
  return registry;
}

const allF32: ElementTypes = new Map();
const maxBindings = 8;

/** `Scalar<i>` for every binding, in WGSL. */
function scalarAliases(types: ElementTypes): string {
  const name = (dtype: DType = 'f32'): string => (dtype === 'bool' ? 'u32' : dtype);
  return Array.from({ length: maxBindings }, (_, i) => `alias Scalar${i} = ${name(types.get(i))};\n`).join('');
}

/** Types of the typed bindings among these arrays. @throws ShapeError if another one is f16. */
function elementTypes(kernel: string, typed: readonly number[], arrays: readonly NDArray[]): ElementTypes {
  if (arrays.every(({ dtype }) => dtype === 'f32')) return allF32;
  const types = new Map<number, DType>();
  for (const [binding, { dtype }] of arrays.entries()) {
    if (dtype === 'f32') continue;
    if (typed.includes(binding)) types.set(binding, dtype);
    else if (dtype === 'f16') throw new ShapeError(`${kernel} takes f32 here and got f16; use cast.`);
  }
  return types;
}

/**
 * The cost of a program, from that in f32 which counts Elements: of four where they are vec4, and half as many bytes for
 * typed bindings, which hold nearly all of them, that are f16.
 */
function programCost(cost: Program['cost'], files: readonly string[], types: ElementTypes, typed: number) {
  const lanes = files.includes('lib/elementVec4') ? 4 : 1;
  const halves = [...types.values()].filter((dtype) => dtype === 'f16').length;
  const share = halves === 0 ? 1 : 1 - (0.5 * halves) / typed;
  return (params: Readonly<Record<string, number>>): Cost => {
    const { flops, bytes } = cost(params);
    return { flops: lanes * flops, bytes: lanes * share * bytes };
  };
}

/** Declares a kernel: its WGSL file, parameters and variants. Pipelines are built at the first dispatch. */
export function defineKernel<const P extends ParamSpec, const V extends string>(
  definition: KernelDefinition<P, V>,
): Kernel<P, V> {
  const layout = paramLayout(definition.params);
  const programs = new Map<string, Program>();
  const { typed = [] } = definition;
  const program = (name: string, types: ElementTypes = allF32): Program => {
    const key = types.size === 0 ? name : `${name} ${[...types].join(' ')}`;
    const known = programs.get(key);
    if (known) return known;
    const variant = (definition.variants as Readonly<Record<string, Variant>>)[name];
    if (!variant) throw new Error(`Kernel ${definition.name} has no variant ${name}.`);
    const files = [...(variant.libraries ?? []), definition.shader];
    const isHalf = [...types.values()].includes('f16');
    const made: Program = {
      name: `${definition.name}/${name}${isHalf ? '-f16' : ''}`,
      source: scalarAliases(types) + files.map((file) => shaders[file as ShaderName] ?? file).join('\n'),
      constants: variant.constants ?? {},
      params: layout,
      bindings: definition.bindings,
      features: [...new Set([...(variant.features ?? []), ...(isHalf ? (['shader-f16'] as const) : [])])],
      cost: programCost(definition.cost as Program['cost'], files, types, typed.length),
    };
    programs.set(key, made);
    return made;
  };
  registry.push({ name: definition.name, variants: definition.variants, typed, program });
  return {
    ...definition,
    run: (gpu, variant, arrays, params, live) => {
      const chosen = program(variant, elementTypes(definition.name, typed, arrays));
      const workgroups = definition.dispatch(params, chosen.constants);
      gpu.dispatch(
        chosen,
        arrays.map((array) => array.range),
        params,
        workgroups,
        live as LiveParams | undefined,
      );
    },
  };
}

/** Whether a device can run a variant. */
export function supportsVariant(variant: Variant, device: GPUDevice, adapter: AdapterSummary): boolean {
  return (
    (variant.features ?? []).every((feature) => device.features.has(feature)) &&
    (variant.subgroupSize ?? adapter.subgroupSize) === adapter.subgroupSize &&
    (!variant.halfMatrices || adapter.halfMatrices === true) &&
    (variant.workgroupBytes ?? 0) <= device.limits.maxComputeWorkgroupStorageSize &&
    (variant.invocations ?? 0) <= device.limits.maxComputeInvocationsPerWorkgroup
  );
}

const maxWorkgroupsPerDimension = 65_535;

/**
 * Workgroups for `count` independent items. Beyond 65,535 workgroups the grid folds into y;
 * `flatIndex` of `lib/grid.wgsl` recovers the item, and the kernel has to check it against the count.
 */
export function grid1d(count: number, perWorkgroup: number): Workgroups {
  const groups = Math.ceil(count / perWorkgroup);
  if (groups <= maxWorkgroupsPerDimension) return [groups, 1, 1];
  const rows = Math.ceil(groups / maxWorkgroupsPerDimension);
  return [Math.ceil(groups / rows), rows, 1];
}
