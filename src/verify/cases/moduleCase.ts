import type { Gpu } from '../../gpu/gpu.ts';
import { ParameterArena } from '../../nn/arena.ts';
import { toPublished } from '../../nn/layout.ts';
import type { Module, Parameter } from '../../nn/module.ts';
import type { HostTensor } from '../compare.ts';
import { FixtureError } from '../errors.ts';

/** Binds a module and loads all of its parameters and buffers; `valuesOf` gets published names and shapes. */
export function bindModule(
  gpu: Gpu,
  module: Module,
  valuesOf: (name: string, shape: readonly number[]) => HostTensor,
): ParameterArena {
  const arena = new ParameterArena(gpu, module, { initialize: false });
  try {
    for (const [name, shape] of arena.shapes()) arena.load([[name, valuesOf(name, shape).data]]);
    return arena;
  } catch (error) {
    arena.dispose();
    throw error;
  }
}

/** Reads gradients and values of a module one parameter at a time, in the published order of axes. */
export class ParameterReader {
  private readonly parameters: ReadonlyMap<string, Parameter>;

  constructor(module: Module) {
    this.parameters = new Map(module.namedParameters());
  }

  has(name: string): boolean {
    return this.parameters.has(name);
  }

  async gradient(name: string): Promise<Float32Array> {
    const { tensor, shape, layout } = this.get(name);
    if (!tensor.grad) throw new FixtureError(`Parameter "${name}" has no gradient.`);
    return toPublished(Float32Array.from(await tensor.grad.read()), shape, layout);
  }

  async value(name: string): Promise<Float32Array> {
    const { tensor, shape, layout } = this.get(name);
    return toPublished(Float32Array.from(await tensor.data()), shape, layout);
  }

  private get(name: string): Parameter {
    const parameter = this.parameters.get(name);
    if (!parameter) throw new FixtureError(`The model has no parameter "${name}".`);
    return parameter;
  }
}
