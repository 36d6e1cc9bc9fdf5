import type { HostTensor, HostTensors } from './host.ts';
import { constant, sizeOf, uniform } from './host.ts';

/** The networks of the benchmark, written once; each library brings its operations. Weights are `[out, kh, kw, in]`. */
export interface NetworkOps<T> {
  /** `weight` names the parameter. */
  readonly conv: (x: T, weight: string, options: { readonly stride: number; readonly padding: number }) => T;
  /** Batch normalisation with the parameters `<name>.weight` and so on. */
  readonly norm: (x: T, name: string) => T;
  readonly relu: (x: T) => T;
  readonly add: (a: T, b: T) => T;
  /** Over windows of 3x3 with stride 2 and padding 1. */
  readonly maxPool: (x: T) => T;
  /** Over height and width. */
  readonly globalMean: (x: T) => T;
  /** `x`, for one more use of it: jax-js counts references. */
  readonly again: (x: T) => T;
}

export const resNetInput = [1, 64, 64, 3] as const;

interface Block {
  readonly name: string;
  readonly inChannels: number;
  readonly width: number;
  readonly stride: number;
}

const blocks: readonly Block[] = [3, 4, 6, 3].flatMap((count, stage) =>
  Array.from({ length: count }, (_, i) => ({
    name: `layer${stage + 1}.${i}`,
    width: 64 * 2 ** stage,
    inChannels: i > 0 ? 256 * 2 ** stage : stage === 0 ? 64 : 128 * 2 ** stage,
    stride: i === 0 && stage > 0 ? 2 : 1,
  })),
);

const projects = ({ inChannels, width, stride }: Block): boolean => stride !== 1 || inChannels !== 4 * width;

/** ResNet-50 without its classifier (torchvision's form) to `[1, 2048]`. */
export function resNet50<T>(ops: NetworkOps<T>, image: T): T {
  const { conv, norm, relu, add, maxPool, globalMean, again } = ops;
  let x = maxPool(relu(norm(conv(image, 'conv1.weight', { stride: 2, padding: 3 }), 'bn1')));
  for (const block of blocks) {
    const { name, stride } = block;
    const shortcut = projects(block)
      ? norm(conv(again(x), `${name}.downsample.0.weight`, { stride, padding: 0 }), `${name}.downsample.1`)
      : again(x);
    const narrow = relu(norm(conv(x, `${name}.conv1.weight`, { stride: 1, padding: 0 }), `${name}.bn1`));
    const mixed = relu(norm(conv(narrow, `${name}.conv2.weight`, { stride, padding: 1 }), `${name}.bn2`));
    x = relu(add(norm(conv(mixed, `${name}.conv3.weight`, { stride: 1, padding: 0 }), `${name}.bn3`), shortcut));
  }
  return globalMean(x);
}

/** Uniform weights whose outputs have about the variance of their inputs after a ReLU (He et al., arXiv 1502.01852). */
const weightOf = (shape: readonly number[], seed: number): HostTensor =>
  uniform(shape, seed, Math.sqrt(6 / sizeOf(shape.slice(1))));

function frozenNorm(name: string, channels: number, seed: number, gain: number): HostTensors {
  return {
    [`${name}.weight`]: uniform([channels], seed, 0.25 * gain, gain),
    [`${name}.bias`]: uniform([channels], seed + 1, 0.1),
    [`${name}.running_mean`]: uniform([channels], seed + 2, 0.1),
    [`${name}.running_var`]: uniform([channels], seed + 3, 0.25, 1),
  };
}

/** Weights and running statistics of `resNet50` under torchvision's names; drawn, not trained. */
export function resNet50Parameters(): HostTensors {
  let seed = 100;
  const layer = (conv: string, norm: string, shape: readonly number[], gain = 1): HostTensors => {
    seed += 10;
    return { [`${conv}.weight`]: weightOf(shape, seed), ...frozenNorm(norm, shape[0] ?? 0, seed + 1, gain) };
  };
  const layers = blocks.flatMap((block) => {
    const { name, inChannels, width } = block;
    return [
      layer(`${name}.conv1`, `${name}.bn1`, [width, 1, 1, inChannels]),
      layer(`${name}.conv2`, `${name}.bn2`, [width, 3, 3, width]),
      // A small gain keeps the sums of sixteen residuals in bounds.
      layer(`${name}.conv3`, `${name}.bn3`, [4 * width, 1, 1, width], 0.3),
      projects(block) ? layer(`${name}.downsample.0`, `${name}.downsample.1`, [4 * width, 1, 1, inChannels]) : {},
    ];
  });
  return Object.assign(layer('conv1', 'bn1', [64, 7, 7, 3]), ...layers) as HostTensors;
}

export const cnn = { batch: 8, size: 32, classes: 10, channels: [3, 32, 64, 128] } as const;

/** Three convolutions with batch norm and ReLU (the last two halve the image), mean over the image: `[8, 128]`. */
export function smallCnn<T>({ conv, norm, relu, globalMean }: NetworkOps<T>, image: T): T {
  let x = image;
  for (const i of [1, 2, 3])
    x = relu(norm(conv(x, `conv${i}.weight`, { stride: i === 1 ? 1 : 2, padding: 1 }), `bn${i}`));
  return globalMean(x);
}

export function smallCnnParameters(): HostTensors {
  const layers = [1, 2, 3].map((i) => {
    const [from, to] = [cnn.channels[i - 1] ?? 0, cnn.channels[i] ?? 0];
    return {
      [`conv${i}.weight`]: weightOf([to, 3, 3, from], 10 + i),
      [`bn${i}.weight`]: constant([to], 1),
      [`bn${i}.bias`]: constant([to], 0),
    };
  });
  return Object.assign({}, ...layers, {
    'fc.weight': uniform([cnn.classes, 128], 20, 0.2),
    'fc.bias': constant([cnn.classes], 0),
  }) as HostTensors;
}

export const encoder = { batch: 4, tokens: 64, hidden: 128, heads: 4, inner: 512, layers: 2, classes: 10 } as const;

/** Operations of a transformer encoder; linear weights are `[out, in]`, names as in BERT. */
export interface EncoderOps<T> {
  /** With the parameters `<name>.weight` and `<name>.bias`. */
  readonly linear: (x: T, name: string) => T;
  readonly layerNorm: (x: T, name: string) => T;
  /** Exact, with erf. */
  readonly gelu: (x: T) => T;
  readonly add: (a: T, b: T) => T;
  /** Several heads: `[batch, tokens, hidden]` in and out. */
  readonly attention: (q: T, k: T, v: T) => T;
  /** `[batch, tokens, hidden]` to `[batch, hidden]`. */
  readonly tokenMean: (x: T) => T;
  readonly again: (x: T) => T;
}

/** Two post-norm encoder layers, mean over the tokens and a linear classifier: logits `[4, 10]`. */
export function encoderLogits<T>(ops: EncoderOps<T>, input: T): T {
  const { linear, layerNorm, gelu, add, attention, tokenMean, again } = ops;
  let x = input;
  for (let i = 0; i < encoder.layers; i++) {
    const name = `layer.${i}`;
    const self = (part: string): T => linear(again(x), `${name}.attention.self.${part}`);
    const mixed = attention(self('query'), self('key'), self('value'));
    const attended = layerNorm(
      add(linear(mixed, `${name}.attention.output.dense`), x),
      `${name}.attention.output.LayerNorm`,
    );
    const wide = gelu(linear(again(attended), `${name}.intermediate.dense`));
    x = layerNorm(add(linear(wide, `${name}.output.dense`), attended), `${name}.output.LayerNorm`);
  }
  return linear(tokenMean(x), 'classifier');
}

export function encoderParameters(): HostTensors {
  const { hidden, inner, layers, classes } = encoder;
  const all: Record<string, HostTensor> = {};
  let seed = 200;
  const linear = (name: string, from: number, to: number): void => {
    all[`${name}.weight`] = uniform([to, from], seed++, 1 / Math.sqrt(from));
    all[`${name}.bias`] = uniform([to], seed++, 0.1);
  };
  const norm = (name: string): void => {
    all[`${name}.weight`] = constant([hidden], 1);
    all[`${name}.bias`] = constant([hidden], 0);
  };
  for (let i = 0; i < layers; i++) {
    for (const part of ['self.query', 'self.key', 'self.value', 'output.dense'])
      linear(`layer.${i}.attention.${part}`, hidden, hidden);
    norm(`layer.${i}.attention.output.LayerNorm`);
    linear(`layer.${i}.intermediate.dense`, hidden, inner);
    linear(`layer.${i}.output.dense`, inner, hidden);
    norm(`layer.${i}.output.LayerNorm`);
  }
  linear('classifier', hidden, classes);
  return all;
}
