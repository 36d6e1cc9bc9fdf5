import { ShapeError } from '../gpu/errors.ts';
import { numel } from '../kernels/shape.ts';
import type { TensorSource } from './checkpoint.ts';
import { publishedShape, toPublished } from './layout.ts';
import type { Module } from './module.ts';
import { parameterRandom } from './random.ts';

/**
 * The values that all parameters and buffers of a module have in an arena with this seed, in the published order of axes.
 * They are drawn when they are asked for, without a GPU, and not kept.
 */
export function initialState(module: Module, seed = 0): TensorSource {
  const parameters = new Map(module.namedParameters());
  const buffers = new Map(module.namedBuffers());
  const shapeOf = (name: string): readonly number[] => {
    const parameter = parameters.get(name);
    if (parameter) return publishedShape(parameter.shape, parameter.layout);
    const buffer = buffers.get(name);
    if (buffer) return buffer.shape;
    throw new ShapeError(`The module has no parameter or buffer called ${name}.`);
  };
  return {
    names: () => [...parameters.keys(), ...buffers.keys()],
    info: (name) => ({ shape: shapeOf(name) }),
    tensor(name) {
      const shape = shapeOf(name);
      const parameter = parameters.get(name);
      if (!parameter) return { shape, data: new Float32Array(numel(shape)).fill(buffers.get(name)?.initial ?? 0) };
      const drawn = parameter.initialize(parameterRandom(name, seed));
      return { shape, data: toPublished(drawn, parameter.shape, parameter.layout) };
    },
  };
}
