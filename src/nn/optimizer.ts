import { ShapeError } from '../gpu/errors.ts';
import type { Scoped } from '../gpu/scope.ts';
import { escapes } from '../gpu/scope.ts';
import { adamStep } from '../kernels/adam.ts';
import { fill } from '../kernels/fill.ts';
import { NDArray } from '../kernels/ndarray.ts';
import { sgdStep } from '../kernels/sgd.ts';
import type { HostArray, ParameterArena, TrainableSegment } from './arena.ts';

/** How an optimizer changes a segment; see `adam` and `sgd`. */
export interface UpdateRule {
  /** Names of the arrays kept for every parameter, as PyTorch calls them. */
  readonly slots: readonly string[];
  /** Scalars of step `step` (from 1), in the order in which the kernel reads them. */
  readonly hyper: (step: number, learningRate: number) => readonly number[];
  /** Records the update; `slots` are in the order of the names. */
  readonly apply: (segment: TrainableSegment, slots: readonly NDArray[], hyper: NDArray, clip: NDArray) => void;
}

/** Everything needed to continue: `tensors` are called `<parameter>.<slot>`, in the published order of axes. */
export interface OptimizerState {
  readonly step: number;
  readonly tensors: ReadonlyMap<string, HostArray>;
}

/** What one step of an optimizer takes. */
export interface StepOptions {
  readonly learningRate: number;
  /**
   * Result of `clipGradNorm`: the gradients are multiplied by its factor, and nothing changes when one of them is not
   * finite. Without it, gradients are taken as they are.
   */
  readonly clip?: NDArray;
}

/** Trains the parameters of an arena with one dispatch per segment. Nothing waits for the GPU. */
export class Optimizer implements Scoped {
  readonly arena: ParameterArena;
  private readonly rule: UpdateRule;
  private readonly segments: readonly { readonly segment: TrainableSegment; readonly slots: readonly NDArray[] }[];
  private readonly hyper: NDArray;
  private readonly noClip: NDArray;
  private taken = 0;

  constructor(arena: ParameterArena, rule: UpdateRule) {
    const { gpu } = arena;
    this.arena = arena;
    this.rule = rule;
    this.segments = arena.trainable.map((segment) => ({
      segment,
      slots: rule.slots.map(() => fill(gpu, [segment.length], 0)),
    }));
    this.hyper = NDArray.from(gpu, rule.hyper(1, 0), [rule.hyper(1, 0).length]);
    this.noClip = NDArray.from(gpu, [0, 1, 0], [3]);
  }

  /** Steps taken so far. */
  get steps(): number {
    return this.taken;
  }

  /** Updates all trainable parameters from their gradients, which it leaves as they are. */
  step({ learningRate, clip }: StepOptions): void {
    this.advance(learningRate);
    this.record(clip);
  }

  /** The host's half of `step`: counts the step and sends its scalars to the GPU. */
  advance(learningRate: number): void {
    this.taken += 1;
    this.hyper.write(this.rule.hyper(this.taken, learningRate));
  }

  /** The GPU's half of `step`: the same dispatches every time, so that a captured step can replay them. */
  record(clip: NDArray = this.noClip): void {
    this.arena.settleGrad();
    for (const { segment, slots } of this.segments) this.rule.apply(segment, slots, this.hyper, clip);
  }

  /** Reads everything that is needed to continue. */
  async state(): Promise<OptimizerState> {
    const tensors = new Map<string, HostArray>();
    const segments = this.segments.map(({ segment }) => segment);
    for (const [number, slot] of this.rule.slots.entries()) {
      const arrays = await this.arena.unpack(segments, (_, index) => this.slotArray(index, number));
      for (const [name, array] of arrays) tensors.set(`${name}.${slot}`, array);
    }
    return { step: this.taken, tensors };
  }

  /** @throws ShapeError if the state lacks a tensor of a trainable parameter or one has another size. */
  load({ step, tensors }: OptimizerState): void {
    for (const [index, { segment }] of this.segments.entries()) {
      for (const [number, slot] of this.rule.slots.entries()) {
        this.arena.pack(segment, this.slotArray(index, number), (name) => {
          const found = tensors.get(`${name}.${slot}`);
          if (!found) {
            throw new ShapeError(
              `The optimizer state has no ${name}.${slot}; it belongs to another model or another optimizer.`,
            );
          }
          return found.data;
        });
      }
    }
    this.taken = step;
  }

  /** Frees what the optimizer keeps; the arena stays. */
  dispose(): void {
    for (const item of this[escapes]()) item.dispose();
  }

  /** What lives on when this is returned from a scope. */
  *[escapes](): Iterable<Scoped> {
    for (const { slots } of this.segments) yield* slots;
    yield this.hyper;
    yield this.noClip;
  }

  /** As `dispose`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  private slotArray(segment: number, slot: number): NDArray {
    const array = this.segments[segment]?.slots[slot];
    if (!array) throw new Error(`The optimizer keeps no array ${slot} for segment ${segment}.`);
    return array;
  }
}

/** Settings of Adam (Kingma and Ba 2015) and AdamW (Loshchilov and Hutter 2019). */
export interface AdamOptions {
  /** 0.9 and 0.999 by default. */
  readonly betas?: readonly [number, number];
  /** 1e-8 by default. */
  readonly eps?: number;
  /** 0 by default. */
  readonly weightDecay?: number;
  /** Take the decay off the values (AdamW) and not into the gradient (Adam). False by default. */
  readonly decoupled?: boolean;
}

/** Adam (Kingma and Ba 2015) with L2 weight decay or, `decoupled`, AdamW (Loshchilov and Hutter 2019). */
export function adam(arena: ParameterArena, options: AdamOptions = {}): Optimizer {
  const { betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0, decoupled = false } = options;
  const [beta1, beta2] = betas;
  return new Optimizer(arena, {
    slots: ['exp_avg', 'exp_avg_sq'],
    // In double precision: 1 - 0.999 alone is off by 5e-5 in float32.
    hyper: (step, learningRate) => [
      learningRate / (1 - beta1 ** step),
      1 / Math.sqrt(1 - beta2 ** step),
      beta1,
      1 - beta1,
      beta2,
      1 - beta2,
      eps,
      decoupled ? 0 : weightDecay,
      decoupled ? learningRate * weightDecay : 0,
    ],
    apply: ({ values, grads }, [firstMoments, secondMoments], hyper, clip) => {
      if (firstMoments && secondMoments) adamStep({ values, grads, firstMoments, secondMoments }, hyper, clip);
    },
  });
}

/** Settings of stochastic gradient descent. */
export interface SgdOptions {
  /** 0 by default. */
  readonly momentum?: number;
  /** L2; 0 by default. */
  readonly weightDecay?: number;
}

/** Stochastic gradient descent; with momentum the first velocity is the first gradient. */
export function sgd(arena: ParameterArena, { momentum = 0, weightDecay = 0 }: SgdOptions = {}): Optimizer {
  return new Optimizer(arena, {
    slots: ['momentum_buffer'],
    hyper: (_, learningRate) => [learningRate, momentum, weightDecay],
    apply: ({ values, grads }, [velocities], hyper, clip) => {
      if (velocities) sgdStep({ values, grads, velocities }, hyper, clip);
    },
  });
}
