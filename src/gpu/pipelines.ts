import { subgroupMatrixFeature } from './adapter.ts';
import type { PooledBuffer } from './buffers.ts';
import { type Guard, unguarded } from './errorGuard.ts';
import type { ParamLayout } from './params.ts';
import { immediateBytes, paramDeclaration } from './params.ts';

/** What a kernel does with a storage binding; `write` may also read. */
export type BindingAccess = 'read' | 'write';
/** A compile-time constant of WGSL. */
export type ConstantValue = number | boolean;

/** Size of a dispatch in workgroups. */
export type Workgroups = readonly [x: number, y: number, z: number];

/** Work of one dispatch, for the roofline: operations, and bytes that an ideal implementation moves. */
export interface Cost {
  readonly flops: number;
  readonly bytes: number;
}

/** A complete compute program: everything that decides which pipeline is built. */
export interface Program {
  /** Name for labels, error messages and profiles, e.g. `matmul/tiled64`. */
  readonly name: string;
  /** WGSL without constants and parameters; those are put in front of it. */
  readonly source: string;
  readonly constants: Readonly<Record<string, ConstantValue>>;
  readonly params: ParamLayout;
  readonly bindings: readonly BindingAccess[];
  readonly features: readonly GPUFeatureName[];
  /** Work of one dispatch with these parameters. */
  readonly cost: (params: Readonly<Record<string, number>>) => Cost;
}

export interface CompiledProgram {
  readonly id: number;
  readonly program: Program;
  /** All of its WGSL. */
  readonly source: string;
  readonly pipeline: GPUComputePipeline;
  readonly bindGroupLayout: GPUBindGroupLayout;
  readonly immediate: boolean;
}

/** A range of a pooled buffer, bound to a storage binding. */
export interface BoundRange {
  readonly buffer: PooledBuffer;
  readonly byteOffset: number;
  readonly byteLength: number;
}

/** The WGSL text of a program, as the device gets it. */
export function programSource(program: Program, immediate: boolean): string {
  const enables = [
    program.features.includes('shader-f16') ? 'enable f16;\n' : '',
    program.features.includes('subgroups') ? 'enable subgroups;\n' : '',
    program.features.includes(subgroupMatrixFeature) ? 'enable chromium_experimental_subgroup_matrix;\n' : '',
  ].join('');
  const requires = immediate && program.params.bytes > 0 ? 'requires immediate_address_space;\n' : '';
  const constants = Object.entries(program.constants).map(([name, value]) => {
    const [type, literal] = typeof value === 'boolean' ? ['bool', String(value)] : ['u32', `${value}u`];
    return `const ${name}: ${type} = ${literal};\n`;
  });
  return `${enables}${requires}${constants.join('')}${paramDeclaration(program.params, immediate)}${program.source}`;
}

/** Pipelines by WGSL text and bind groups by the ranges they bind; both are made once and kept. */
export class PipelineCache {
  private readonly byProgram = new Map<Program, CompiledProgram>();
  private readonly bySource = new Map<string, CompiledProgram>();
  private readonly bindGroupLayouts = new Map<string, GPUBindGroupLayout>();
  private readonly bindGroups = new Map<string, GPUBindGroup>();
  private readonly bindGroupsOfBuffer = new Map<number, Set<string>>();
  private uniformLayout: GPUBindGroupLayout | undefined;
  private readonly device: GPUDevice;
  private readonly immediates: boolean;
  private readonly guard: Guard;
  compileMs = 0;

  constructor(device: GPUDevice, immediates: boolean, guard: Guard = unguarded) {
    this.device = device;
    this.immediates = immediates;
    this.guard = guard;
  }

  get pipelineCount(): number {
    return this.bySource.size;
  }

  /** Everything that was built. */
  get programs(): readonly Program[] {
    return [...this.byProgram.keys()];
  }

  get(program: Program): CompiledProgram {
    const known = this.byProgram.get(program);
    if (known) return known;
    const started = performance.now();
    const compiled = this.guard(`Kernel ${program.name}`, () => this.build(program));
    this.bySource.set(compiled.source, compiled);
    this.byProgram.set(program, compiled);
    this.compileMs += performance.now() - started;
    return compiled;
  }

  /** What the WGSL compiler says about a program: errors, warnings, hints. Makes no pipeline. */
  async messages(program: Program): Promise<readonly GPUCompilationMessage[]> {
    const { source } = this.prepare(program);
    const module = this.device.createShaderModule({ label: program.name, code: source });
    return (await module.getCompilationInfo()).messages;
  }

  /** Builds those pipelines that are not built yet, in parallel, ahead of their first dispatch. */
  async compile(programs: readonly Program[]): Promise<void> {
    const started = performance.now();
    await Promise.all(
      programs.map(async (program) => {
        if (this.byProgram.has(program)) return;
        const { source, immediate, layout, bindGroupLayout } = this.prepare(program);
        const pipeline = await this.guard(`Kernel ${program.name}`, () =>
          this.device.createComputePipelineAsync(this.descriptor(program, source, layout)),
        );
        if (this.bySource.has(source)) return;
        const compiled = { id: this.bySource.size, program, source, immediate, bindGroupLayout, pipeline };
        this.bySource.set(source, compiled);
        this.byProgram.set(program, compiled);
      }),
    );
    this.compileMs += performance.now() - started;
  }

  bindGroup(compiled: CompiledProgram, ranges: readonly BoundRange[]): GPUBindGroup {
    let key = `${compiled.id}`;
    for (const { buffer, byteOffset, byteLength } of ranges) key += `|${buffer.id}:${byteOffset}:${byteLength}`;
    const known = this.bindGroups.get(key);
    if (known) return known;
    const { program, bindGroupLayout: layout } = compiled;
    const entries = ranges.map(({ buffer, byteOffset, byteLength }, binding) => ({
      binding,
      resource: { buffer: buffer.buffer, offset: byteOffset, size: byteLength },
    }));
    const group = this.guard(`Kernel ${program.name}`, () =>
      this.device.createBindGroup({ label: program.name, layout, entries }),
    );
    this.bindGroups.set(key, group);
    for (const { buffer } of ranges) {
      const keys = this.bindGroupsOfBuffer.get(buffer.id);
      if (keys) keys.add(key);
      else this.bindGroupsOfBuffer.set(buffer.id, new Set([key]));
    }
    return group;
  }

  /** Forgets the bind groups of a buffer that is destroyed. */
  forgetBuffer(id: number): void {
    for (const key of this.bindGroupsOfBuffer.get(id) ?? []) this.bindGroups.delete(key);
    this.bindGroupsOfBuffer.delete(id);
  }

  /** Layout of group 1: the parameter ring, bound with a dynamic offset. */
  uniformBindGroupLayout(): GPUBindGroupLayout {
    this.uniformLayout ??= this.device.createBindGroupLayout({
      entries: [
        { binding: 0, visibility: GPUShaderStage.COMPUTE, buffer: { type: 'uniform', hasDynamicOffset: true } },
      ],
    });
    return this.uniformLayout;
  }

  private build(program: Program): CompiledProgram {
    const { source, immediate, layout, bindGroupLayout } = this.prepare(program);
    const existing = this.bySource.get(source);
    if (existing) return existing;
    const pipeline = this.device.createComputePipeline(this.descriptor(program, source, layout));
    return { id: this.bySource.size, program, source, immediate, bindGroupLayout, pipeline };
  }

  private prepare(program: Program) {
    const immediate = this.immediates && program.params.bytes <= immediateBytes;
    const bindGroupLayout = this.storageLayout(program.bindings);
    const needsUniform = !immediate && program.params.bytes > 0;
    const descriptor: GPUPipelineLayoutDescriptor & { immediateSize?: number } = {
      bindGroupLayouts: needsUniform ? [bindGroupLayout, this.uniformBindGroupLayout()] : [bindGroupLayout],
    };
    if (immediate && program.params.bytes > 0) descriptor.immediateSize = program.params.bytes;
    const layout = this.device.createPipelineLayout(descriptor);
    return { source: programSource(program, immediate), immediate, layout, bindGroupLayout };
  }

  private descriptor(program: Program, source: string, layout: GPUPipelineLayout) {
    const module = this.device.createShaderModule({ label: program.name, code: source });
    return { label: program.name, layout, compute: { module, entryPoint: 'main' } };
  }

  private storageLayout(bindings: readonly BindingAccess[]): GPUBindGroupLayout {
    const key = bindings.join();
    const known = this.bindGroupLayouts.get(key);
    if (known) return known;
    const layout = this.device.createBindGroupLayout({
      entries: bindings.map((access, binding) => ({
        binding,
        visibility: GPUShaderStage.COMPUTE,
        buffer: { type: access === 'read' ? 'read-only-storage' : 'storage' },
      })),
    });
    this.bindGroupLayouts.set(key, layout);
    return layout;
  }
}
