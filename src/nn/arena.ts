import { Tensor } from '../autograd/tensor.ts';
import { GpuError, ShapeError } from '../gpu/errors.ts';
import type { Gpu } from '../gpu/gpu.ts';
import type { Scoped } from '../gpu/scope.ts';
import { escapes } from '../gpu/scope.ts';
import { elementBytes } from '../kernels/dtype.ts';
import { fill, fillInto } from '../kernels/fill.ts';
import type { NDArray } from '../kernels/ndarray.ts';
import { contiguousStrides, formatShape } from '../kernels/shape.ts';
import { fromPublished, publishedShape, toPublished } from './layout.ts';
import type { Buffer, Module } from './module.ts';
import { seedModules } from './module.ts';
import { parameterRandom } from './random.ts';
import type { PlacedParameter, SegmentPlan } from './segments.ts';
import { planSegments } from './segments.ts';

/** An array on the host in the published (PyTorch) order of axes. */
export interface HostArray {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Flat arrays of several parameters; gaps between them are zero. */
export interface Segment extends SegmentPlan {
  readonly values: NDArray;
  /** Undefined for frozen parameters. */
  readonly grads: NDArray | undefined;
}

/** A segment whose parameters are trained. */
export interface TrainableSegment extends Segment {
  readonly grads: NDArray;
}

/** How an arena fills and groups its parameters. */
export interface ArenaOptions {
  /** Seed of initial values and of dropout; 0 by default. */
  readonly seed?: number;
  /** False leaves parameters at zero, for a checkpoint that holds all of them: BERT-base takes seconds to draw. */
  readonly initialize?: boolean;
  /** Parameters that get no gradient and are not trained, by full name. */
  readonly frozen?: (name: string) => boolean;
  /** Largest segment in bytes; by default 128 MiB or what one binding of the device may hold. */
  readonly segmentBytes?: number;
}

interface BoundParameter {
  readonly segment: Segment;
  readonly at: PlacedParameter;
  readonly tensor: Tensor;
}

const defaultSegmentBytes = 2 ** 27;

/**
 * All parameters of a module in a few flat buffers, and their gradients in as many: one optimizer dispatch, one norm
 * and one transfer serve a whole segment. Making it binds every parameter (a leaf tensor whose gradient `backward`
 * accumulates in place) and buffer of the module. Dispose it when the model is no longer needed.
 */
export class ParameterArena implements Scoped {
  readonly gpu: Gpu;
  readonly module: Module;
  readonly segments: readonly Segment[];
  private readonly placed = new Map<string, BoundParameter>();
  private readonly buffers = new Map<string, { readonly buffer: Buffer; readonly array: NDArray }>();

  /** @throws GpuError if a parameter is larger than the device can bind. */
  constructor(gpu: Gpu, module: Module, options: ArenaOptions = {}) {
    const { seed = 0, initialize = true, frozen = () => false } = options;
    this.gpu = gpu;
    this.module = module;
    const limit = Math.min(gpu.device.limits.maxStorageBufferBindingSize, gpu.device.limits.maxBufferSize);
    const cap = Math.min(options.segmentBytes ?? defaultSegmentBytes, limit);
    const parameters = [...module.namedParameters()];
    for (const [name, { size, shape }] of parameters) {
      if (size * elementBytes('f32') <= limit) continue;
      throw new GpuError(
        `Parameter ${name} of shape ${formatShape(shape)} needs ${size * elementBytes('f32')} bytes; this device binds at most ${limit} (maxStorageBufferBindingSize).`,
      );
    }
    this.segments = planSegments(parameters, Math.floor(cap / elementBytes('f32')), frozen).map((plan) => ({
      ...plan,
      values: fill(gpu, [plan.length], 0),
      grads: plan.trainable ? fill(gpu, [plan.length], 0) : undefined,
    }));
    for (const segment of this.segments) {
      for (const at of segment.parameters) {
        const tensor = makeLeaf(segment, at);
        this.placed.set(at.name, { segment, at, tensor });
        if (initialize) tensor.array.write(at.parameter.initialize(parameterRandom(at.name, seed)));
      }
    }
    for (const [name, buffer] of module.namedBuffers()) {
      const array = fill(gpu, buffer.shape, buffer.initial);
      this.buffers.set(name, { buffer, array });
      buffer.name = name;
      buffer.bind(array);
    }
    seedModules(module, seed);
  }

  /** The segments that an optimizer works on. */
  get trainable(): readonly TrainableSegment[] {
    return this.segments.filter((segment): segment is TrainableSegment => segment.grads !== undefined);
  }

  /** Number of parameter elements, frozen ones included. */
  get parameterCount(): number {
    return [...this.placed.values()].reduce((sum, { at }) => sum + at.parameter.size, 0);
  }

  /** Forgets all gradients. They become zero when they are looked at (`settleGrad`), unless `backward` comes first. */
  zeroGrad(): void {
    for (const { tensor } of this.placed.values()) tensor.gradIsUnset = tensor.requiresGrad;
  }

  /** Makes the gradients that no `backward` has set since `zeroGrad` zero. */
  settleGrad(): void {
    for (const { tensor } of this.placed.values()) {
      if (tensor.gradIsUnset && tensor.grad) fillInto(tensor.grad, 0);
      tensor.gradIsUnset = false;
    }
  }

  /** Published shapes of all parameters and buffers. */
  shapes(): Map<string, readonly number[]> {
    const shapes = new Map<string, readonly number[]>();
    for (const [name, { at }] of this.placed) shapes.set(name, publishedShape(at.parameter.shape, at.parameter.layout));
    for (const [name, { array }] of this.buffers) shapes.set(name, array.shape);
    return shapes;
  }

  /**
   * Replaces the values of the named parameters and buffers, given in the published order of axes.
   * @throws ShapeError if a name is unknown or the number of values does not fit.
   */
  load(values: Iterable<readonly [name: string, values: ArrayLike<number>]>): void {
    for (const [name, given] of values) {
      const placed = this.placed.get(name);
      const array = this.buffers.get(name)?.array;
      if (placed) writeParameter(placed.at, placed.segment.values, given);
      else if (array) array.write(given);
      else throw new ShapeError(`The module has no parameter or buffer called ${name}.`);
    }
  }

  /** Parameters and buffers on the host. Nothing may train before it has resolved. */
  async state(): Promise<Map<string, HostArray>> {
    const state = await this.unpack(this.segments, ({ values }) => values);
    for (const [name, { array }] of this.buffers) {
      state.set(name, { shape: array.shape, data: Float32Array.from(await array.read()) });
    }
    return state;
  }

  /** Gradients of the trainable parameters on the host. */
  gradients(): Promise<Map<string, HostArray>> {
    this.settleGrad();
    return this.unpack(this.trainable, ({ grads }) => grads);
  }

  /** Reads arrays that are laid out like segments (such as optimizer moments) as one host array per parameter. */
  async unpack<S extends Segment>(
    segments: readonly S[],
    arrayOf: (segment: S, index: number) => NDArray,
  ): Promise<Map<string, HostArray>> {
    const unpacked = new Map<string, HostArray>();
    for (const [index, segment] of segments.entries()) {
      const flat = await arrayOf(segment, index).read();
      for (const { name, parameter, offset } of segment.parameters) {
        const { shape, layout, size } = parameter;
        const stored = new Float32Array(flat.buffer, offset * elementBytes('f32'), size);
        unpacked.set(name, { shape: publishedShape(shape, layout), data: toPublished(stored, shape, layout) });
      }
    }
    return unpacked;
  }

  /** Writes host arrays in the published order into `array`, which is laid out like `segment`. */
  pack(segment: Segment, array: NDArray, valuesOf: (name: string) => ArrayLike<number>): void {
    for (const at of segment.parameters) writeParameter(at, array, valuesOf(at.name));
  }

  /** Frees all arrays and unbinds the module. */
  dispose(): void {
    for (const { at, tensor } of this.placed.values()) {
      // Another arena may have bound the module in the meantime.
      if (at.parameter.isBound && at.parameter.tensor === tensor) at.parameter.bind(undefined);
    }
    for (const { buffer, array } of this.buffers.values()) {
      if (buffer.isBound && buffer.array === array) buffer.bind(undefined);
    }
    for (const item of this[escapes]()) item.dispose();
  }

  /** As `dispose`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** What lives on when this is returned from a scope. */
  *[escapes](): Iterable<Scoped> {
    for (const { tensor } of this.placed.values()) yield* tensor[escapes]();
    for (const { array } of this.buffers.values()) yield array;
    for (const { values, grads } of this.segments) {
      yield values;
      if (grads) yield grads;
    }
  }
}

/** A parameter's part of an array that is laid out like its segment. */
function viewOf(array: NDArray, { parameter: { shape }, offset }: PlacedParameter): NDArray {
  return array.view(shape, contiguousStrides(shape), offset);
}

function writeParameter(at: PlacedParameter, array: NDArray, published: ArrayLike<number>): void {
  const { shape, layout, size } = at.parameter;
  if (published.length !== size) {
    const expected = formatShape(publishedShape(shape, layout));
    throw new ShapeError(`Parameter ${at.name} has the shape ${expected}, ${published.length} values do not fill it.`);
  }
  using view = viewOf(array, at);
  view.write(fromPublished(published, shape, layout));
}

function makeLeaf(segment: Segment, at: PlacedParameter): Tensor {
  const leaf = new Tensor(viewOf(segment.values, at), { requiresGrad: segment.trainable });
  // A preset gradient is accumulated into, so that backward writes into the segment.
  if (segment.grads) leaf.grad = viewOf(segment.grads, at);
  at.parameter.name = at.name;
  at.parameter.bind(leaf);
  return leaf;
}
