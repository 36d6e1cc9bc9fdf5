import { batchNorm } from '../autograd/ops/batchNorm.ts';
import { conv2d } from '../autograd/ops/conv2d.ts';
import { dropout } from '../autograd/ops/dropout.ts';
import { embedding } from '../autograd/ops/indexing.ts';
import { layerNorm } from '../autograd/ops/layerNorm.ts';
import { linear } from '../autograd/ops/matmul.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { constant, type Initializer, kaimingFanOut, normal, uniform } from './init.ts';
import { Buffer, Module, Parameter } from './module.ts';
import { hashStream } from './random.ts';

type Pair = number | readonly [number, number];

function pair(value: Pair): readonly [number, number] {
  return typeof value === 'number' ? [value, value] : value;
}

/** Geometry and start of a `Conv2d`. */
export interface Conv2dOptions {
  readonly stride?: Pair;
  readonly padding?: Pair;
  readonly dilation?: Pair;
  readonly groups?: number;
  /** True by default. */
  readonly bias?: boolean;
  /** Initial weight; torchvision's by default. */
  readonly initializer?: Initializer;
}

/** Convolution of `[batch, height, width, inChannels]`; weight stored `[out, height, width, in / groups]`. */
export class Conv2d extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;
  private readonly options: {
    readonly stride: Pair;
    readonly padding: Pair;
    readonly dilation: Pair;
    readonly groups: number;
  };

  constructor(inChannels: number, outChannels: number, kernelSize: Pair, options: Conv2dOptions = {}) {
    super();
    const { stride = 1, padding = 0, dilation = 1, groups = 1, bias = true, initializer = kaimingFanOut } = options;
    const [height, width] = pair(kernelSize);
    const fanIn = (height * width * inChannels) / groups;
    this.weight = new Parameter([outChannels, height, width, inChannels / groups], initializer, 'convolution');
    this.bias = bias ? new Parameter([outChannels], uniform(1 / Math.sqrt(fanIn))) : undefined;
    this.options = { stride, padding, dilation, groups };
  }

  /** `[batch, height, width, inChannels]` to `[batch, height, width, outChannels]`. */
  forward(x: Tensor): Tensor {
    return conv2d(x, this.weight.tensor, this.bias?.tensor, this.options);
  }
}

/** Bias and start of a `Linear`. */
export interface LinearOptions {
  /** True by default. */
  readonly bias?: boolean;
  /** Start from a normal distribution with this deviation and zero bias (BERT: 0.02), not from PyTorch's uniform one. */
  readonly deviation?: number;
}

/** `x w^T + b` over the last axis; weight `[outFeatures, inFeatures]`. */
export class Linear extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;

  constructor(inFeatures: number, outFeatures: number, options: LinearOptions = {}) {
    super();
    const { bias = true, deviation } = options;
    const spread = uniform(1 / Math.sqrt(inFeatures));
    const isNormal = deviation !== undefined;
    this.weight = new Parameter([outFeatures, inFeatures], isNormal ? normal(deviation) : spread);
    this.bias = bias ? new Parameter([outFeatures], isNormal ? constant(0) : spread) : undefined;
  }

  /** `[..., inFeatures]` to `[..., outFeatures]`. */
  forward(x: Tensor): Tensor {
    return linear(x, this.weight.tensor, this.bias?.tensor);
  }
}

/** Batch normalisation over all but the last axis; updates its running statistics in place while training. */
export class BatchNorm2d extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;
  readonly running_mean: Buffer;
  readonly running_var: Buffer;
  readonly eps: number;
  readonly momentum: number;

  constructor(channels: number, options: { readonly eps?: number; readonly momentum?: number } = {}) {
    super();
    this.weight = new Parameter([channels], constant(1));
    this.bias = new Parameter([channels], constant(0));
    this.running_mean = new Buffer([channels], 0);
    this.running_var = new Buffer([channels], 1);
    this.eps = options.eps ?? 1e-5;
    this.momentum = options.momentum ?? 0.1;
  }

  /** Normalises `x`; `relu` and `residual` are fused: `relu(norm(x) + residual)`. */
  forward(x: Tensor, fused: { readonly relu?: boolean; readonly residual?: Tensor } = {}): Tensor {
    const statistics = { runningMean: this.running_mean.array, runningVar: this.running_var.array };
    const { training: train, eps } = this;
    const momentum = this.repeating ? 0 : this.momentum;
    return batchNorm(x, this.weight.tensor, this.bias.tensor, statistics, { train, eps, momentum, ...fused });
  }
}

/** Layer normalisation over the last axis. */
export class LayerNorm extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;
  readonly eps: number;

  constructor(features: number, eps = 1e-5) {
    super();
    this.weight = new Parameter([features], constant(1));
    this.bias = new Parameter([features], constant(0));
    this.eps = eps;
  }

  /** Normalises the last axis of `x`. */
  forward(x: Tensor): Tensor {
    return layerNorm(x, this.weight.tensor, this.bias.tensor, this.eps);
  }
}

/** Padding and start of an `Embedding`. */
export interface EmbeddingOptions {
  /** This row starts at zero and gets no gradient. */
  readonly paddingIndex?: number;
  /** Deviation of the normal start; 1 by default (BERT: 0.02). */
  readonly deviation?: number;
}

/** Table lookup: i32 indices `[...]` to rows `[..., features]`. */
export class Embedding extends Module {
  readonly weight: Parameter;
  private readonly options: { readonly paddingIndex?: number };

  constructor(rows: number, features: number, options: EmbeddingOptions = {}) {
    super();
    const { paddingIndex, deviation = 1 } = options;
    this.options = paddingIndex === undefined ? {} : { paddingIndex };
    this.weight = new Parameter([rows, features], (random, shape) => {
      const values = normal(deviation)(random, shape);
      if (paddingIndex !== undefined) values.fill(0, paddingIndex * features, (paddingIndex + 1) * features);
      return values;
    });
  }

  /** i32 `[...]` to `[..., features]`. */
  forward(indices: Tensor): Tensor {
    return embedding(this.weight.tensor, indices, this.options);
  }
}

/** Dropout with a mask that depends only on the layer's name, the seed and the calls since `seedModules`; the identity outside training. */
export class Dropout extends Module {
  readonly p: number;
  private word = hashStream('dropout', 0);

  constructor(p: number) {
    super();
    this.p = p;
  }

  get active(): boolean {
    return this.training && this.p > 0;
  }

  override reseed(name: string, seed: number): void {
    this.word = hashStream(name, seed);
    this.draws = 0;
  }

  /** Seed of the next mask, for operations that drop out inside themselves (attention). It follows later reseeding. */
  nextSeed(): () => number {
    const call = this.draws++;
    return () => this.word(call);
  }

  /** `x`, in training with elements dropped and the others scaled up. */
  forward(x: Tensor): Tensor {
    return this.active ? dropout(x, { p: this.p, seed: this.nextSeed() }) : x;
  }
}
