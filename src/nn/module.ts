import type { Tensor } from '../autograd/tensor.ts';
import type { NDArray } from '../kernels/ndarray.ts';
import type { Shape } from '../kernels/shape.ts';
import { formatShape, numel } from '../kernels/shape.ts';
import type { Initializer } from './init.ts';
import type { ParameterRandom } from './random.ts';
import { hashStream } from './random.ts';

/**
 * How the stored order of axes relates to the published one (PyTorch's): the same, or a convolution weight stored
 * `[out, height, width, in]` and published `[out, in, height, width]`.
 */
export type ParameterLayout = 'plain' | 'convolution';

function unbound(kind: string, name: string | undefined, shape: Shape): Error {
  const label = name ? `${kind} ${name}` : `A ${kind.toLowerCase()} of shape ${formatShape(shape)}`;
  return new Error(
    `${label} has no values on a GPU: make a ParameterArena for its module first (or keep it undisposed).`,
  );
}

/** A trained array of a module. Its values live on the GPU once a `ParameterArena` has bound it. */
export class Parameter {
  /** Shape as stored, see `ParameterLayout`. */
  readonly shape: Shape;
  readonly layout: ParameterLayout;
  /** Full name, known once bound. */
  name: string | undefined;
  private readonly initializer: Initializer;
  private bound: Tensor | undefined;

  constructor(shape: Shape, initializer: Initializer, layout: ParameterLayout = 'plain') {
    this.shape = shape;
    this.initializer = initializer;
    this.layout = layout;
  }

  get size(): number {
    return numel(this.shape);
  }

  /** Initial values in the stored order. */
  initialize(random: ParameterRandom): Float32Array {
    return this.initializer(random, this.shape);
  }

  get isBound(): boolean {
    return this.bound !== undefined;
  }

  /** The leaf tensor. @throws Error before the parameter is bound. */
  get tensor(): Tensor {
    if (!this.bound) throw unbound('Parameter', this.name, this.shape);
    return this.bound;
  }

  /** Gives the parameter its tensor; undefined takes it away. */
  bind(tensor: Tensor | undefined): void {
    this.bound = tensor;
  }
}

/** An array that belongs to a module but is not trained, such as a running mean. */
export class Buffer {
  readonly shape: Shape;
  /** Value of every element at the start. */
  readonly initial: number;
  /** Full name, known once bound. */
  name: string | undefined;
  private bound: NDArray | undefined;

  constructor(shape: Shape, initial: number) {
    this.shape = shape;
    this.initial = initial;
  }

  get isBound(): boolean {
    return this.bound !== undefined;
  }

  /** The values. @throws Error before the buffer is bound. */
  get array(): NDArray {
    if (!this.bound) throw unbound('Buffer', this.name, this.shape);
    return this.bound;
  }

  /** Gives the buffer its array; undefined takes it away. */
  bind(array: NDArray | undefined): void {
    this.bound = array;
  }
}

type Member = Parameter | Buffer | Module;

function isPlainRecord(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Parameters, buffers and modules below `container`, through arrays and plain records, with their dotted names. */
function* membersOf(container: object, prefix: string): Generator<readonly [string, Member]> {
  for (const [key, value] of Object.entries(container) as [string, unknown][]) {
    const name = prefix ? `${prefix}.${key}` : key;
    if (value instanceof Parameter || value instanceof Buffer || value instanceof Module) yield [name, value];
    else if (typeof value === 'object' && value && (Array.isArray(value) || isPlainRecord(value))) {
      yield* membersOf(value, name);
    }
  }
}

/**
 * Part of a network. Its parameters, buffers and submodules are found by the names of its properties, through arrays
 * and plain records: the property names are the names under which weights are published, e.g. `layer1.0.conv1.weight`.
 * Building a tree of modules touches no GPU.
 */
export abstract class Module {
  /** Whether the module is being trained: batch statistics instead of running ones, dropout on. */
  training = true;
  /** Random numbers that the module itself has drawn since `reseed`; `repeatPass` sets it back. */
  draws = 0;
  /** Whether a pass is done again for its gradient only, see `repeatPass`: running statistics stay as they are. */
  repeating = false;
  /** Whether `runBlock` keeps only the module's input and computes the rest again in the backward pass. */
  checkpointed = false;

  /** This module (named `prefix`) and all below it, parents first. */
  *namedModules(prefix = ''): Generator<readonly [string, Module]> {
    yield [prefix, this];
    for (const [name, member] of membersOf(this, prefix))
      if (member instanceof Module) yield* member.namedModules(name);
  }

  /** Every parameter once, under the first of its names, in the order of declaration. */
  *namedParameters(prefix = ''): Generator<readonly [string, Parameter]> {
    yield* this.collect(prefix, new Set(), (member) => (member instanceof Parameter ? member : undefined));
  }

  /** Every buffer once. */
  *namedBuffers(prefix = ''): Generator<readonly [string, Buffer]> {
    yield* this.collect(prefix, new Set(), (member) => (member instanceof Buffer ? member : undefined));
  }

  /** Sets whether this module and all below it train: dropout drops, batch norm takes the statistics of the batch. */
  setTraining(training: boolean): this {
    for (const [, module] of this.namedModules()) module.training = training;
    return this;
  }

  /** Restarts the random numbers that the module itself draws while training (dropout); most draw none. */
  reseed(_name: string, _seed: number): void {}

  private *collect<T extends Member>(
    prefix: string,
    seen: Set<Member>,
    select: (member: Member) => T | undefined,
  ): Generator<readonly [string, T]> {
    for (const [name, member] of membersOf(this, prefix)) {
      if (seen.has(member)) continue;
      seen.add(member);
      const selected = select(member);
      if (selected) yield [name, selected];
      if (member instanceof Module) yield* member.collect(name, seen, select);
    }
  }
}

/**
 * Restarts the random numbers of every module below `module` (dropout masks), decided by its name, `seed` and `step`
 * alone. Called once a step, it lets an interrupted run continue with the masks it would have had.
 */
export function seedModules(module: Module, seed: number, step = 0): void {
  const stepSeed = hashStream('step', seed)(step);
  for (const [name, child] of module.namedModules()) child.reseed(name, stepSeed);
}
