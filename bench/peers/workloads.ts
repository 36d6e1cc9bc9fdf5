import type { HostTensors } from './host.ts';
import { constant, need, uniform } from './host.ts';
import { cnn, encoder, encoderParameters, resNet50Parameters, resNetInput, smallCnnParameters } from './models.ts';
import type { ConvShape } from './reference/conv.ts';
import { conv2d, conv2dInputGrad, conv2dWeightGrad } from './reference/conv.ts';
import { attention, matmul, softmax } from './reference/matrix.ts';
import { adamStep, cnnLosses, encoderLosses, resNet50Features } from './reference/networks.ts';
import { normalize } from './reference/norm.ts';

/** What every library is asked to do, with inputs that are resident on the GPU. */
export interface Workload {
  readonly title: string;
  readonly inputs: () => HostTensors;
  /** Results in double precision, computed on the CPU after `checkedRuns` runs. */
  readonly reference: (inputs: HostTensors) => Readonly<Record<string, ArrayLike<number>>>;
  /** Runs before the results are compared; train steps change what the next run starts from. */
  readonly checkedRuns: number;
  /** Largest difference that passes, as a share of the largest value of that result. */
  readonly tolerance: number;
}

export const conv3x3: ConvShape = {
  batch: 1,
  size: 56,
  channels: 64,
  filters: 64,
  kernel: 3,
  stride: 1,
  padding: 1,
};
export const convStem: ConvShape = { batch: 1, size: 224, channels: 3, filters: 64, kernel: 7, stride: 2, padding: 3 };
export const attentionShape = { heads: 12, tokens: 128, depth: 64 } as const;
export const softmaxShape = [64, 32_000] as const;
/** How many dependent operations follow each other, and how small their arrays are. */
export const chain = { operations: 1000, width: 16 } as const;
export const adamSize = 25_000_000;

function conv({ batch, size, channels, filters, kernel, stride, padding }: ConvShape): HostTensors {
  const out = Math.floor((size + 2 * padding - kernel) / stride) + 1;
  return {
    x: uniform([batch, size, size, channels], 1),
    w: uniform([filters, kernel, kernel, channels], 2),
    dy: uniform([batch, out, out, filters], 3),
  };
}

const data = (inputs: HostTensors, name: string): ArrayLike<number> => need(inputs, name).data;

function norm(shape: readonly number[]): HostTensors {
  const features = shape.at(-1) ?? 1;
  return {
    x: uniform(shape, 1, 2, 0.5),
    weight: uniform([features], 2, 0.5, 1),
    bias: uniform([features], 3),
    dy: uniform(shape, 4),
  };
}

const normReference = (over: 'rows' | 'features') => (inputs: HostTensors) => {
  const { y, grad } = normalize(data(inputs, 'x'), data(inputs, 'weight'), data(inputs, 'bias'), over);
  return { y, ...grad(data(inputs, 'dy')) };
};

const attentionInputs = (): HostTensors => {
  const { heads, tokens, depth } = attentionShape;
  const shape = [1, heads, tokens, depth];
  return { q: uniform(shape, 1), k: uniform(shape, 2), v: uniform(shape, 3), dy: uniform(shape, 4) };
};

const attentionOf = (inputs: HostTensors) =>
  attention([data(inputs, 'q'), data(inputs, 'k'), data(inputs, 'v')], attentionShape);

const classes = (count: number) => ({ shape: [count], data: Int32Array.from({ length: count }, (_, i) => i % 10) });

const checkedSteps = 3;

export const workloads = {
  'matmul 512': {
    title: 'matmul 512^3',
    inputs: () => ({ a: uniform([512, 512], 1), b: uniform([512, 512], 2) }),
    reference: (inputs) => ({ y: matmul(data(inputs, 'a'), data(inputs, 'b'), { m: 512, k: 512, n: 512 }) }),
    checkedRuns: 1,
    tolerance: 1e-4,
  },
  'conv 3x3': {
    title: 'conv 3x3 64ch 56x56',
    inputs: () => conv(conv3x3),
    reference: (inputs) => ({ y: conv2d(data(inputs, 'x'), data(inputs, 'w'), conv3x3) }),
    checkedRuns: 1,
    tolerance: 1e-4,
  },
  'conv 3x3 input gradient': {
    title: 'its input gradient',
    inputs: () => conv(conv3x3),
    reference: (inputs) => ({ dx: conv2dInputGrad(data(inputs, 'dy'), data(inputs, 'w'), conv3x3) }),
    checkedRuns: 1,
    tolerance: 1e-4,
  },
  'conv 3x3 weight gradient': {
    title: 'its weight gradient',
    inputs: () => conv(conv3x3),
    reference: (inputs) => ({ dw: conv2dWeightGrad(data(inputs, 'x'), data(inputs, 'dy'), conv3x3) }),
    checkedRuns: 1,
    tolerance: 1e-4,
  },
  'conv 7x7 stem': {
    title: 'conv 7x7 stride 2, 224x224x3 to 64',
    inputs: () => conv(convStem),
    reference: (inputs) => ({ y: conv2d(data(inputs, 'x'), data(inputs, 'w'), convStem) }),
    checkedRuns: 1,
    tolerance: 1e-4,
  },
  'batch norm': {
    title: 'batch norm 4x56x56x64, train, with backward',
    inputs: () => norm([4, 56, 56, 64]),
    reference: normReference('rows'),
    checkedRuns: 1,
    tolerance: 1e-4,
  },
  'layer norm': {
    title: 'layer norm 1024x768, with backward',
    inputs: () => norm([1024, 768]),
    reference: normReference('features'),
    checkedRuns: 1,
    tolerance: 1e-4,
  },
  attention: {
    title: 'attention, 12 heads, 128 tokens, depth 64',
    inputs: attentionInputs,
    reference: (inputs) => ({ y: attentionOf(inputs).y }),
    checkedRuns: 1,
    tolerance: 1e-4,
  },
  'attention backward': {
    title: 'attention with backward',
    inputs: attentionInputs,
    reference: (inputs) => {
      const { y, grad } = attentionOf(inputs);
      return { y, ...grad(data(inputs, 'dy')) };
    },
    checkedRuns: 1,
    tolerance: 1e-4,
  },
  softmax: {
    title: 'softmax 64x32000',
    inputs: () => ({ x: uniform(softmaxShape, 1, 5) }),
    reference: (inputs) => ({ y: softmax(data(inputs, 'x'), softmaxShape[1]) }),
    checkedRuns: 1,
    tolerance: 1e-4,
  },
  'tiny operations': {
    title: '1,000 chained additions of 16 numbers',
    inputs: () => ({ x: uniform([chain.width], 1), step: constant([chain.width], 0.125) }),
    reference: (inputs) => ({ y: Float64Array.from(data(inputs, 'x'), (x) => x + chain.operations * 0.125) }),
    checkedRuns: 1,
    tolerance: 1e-4,
  },
  'small CNN step': {
    title: 'train step, small CNN, batch 8, 32x32, Adam',
    inputs: () => ({
      x: uniform([cnn.batch, cnn.size, cnn.size, 3], 1),
      labels: classes(cnn.batch),
      ...smallCnnParameters(),
    }),
    reference: (inputs) => cnnLosses(inputs, checkedSteps),
    checkedRuns: checkedSteps,
    tolerance: 1e-3,
  },
  'ResNet-50 forward': {
    title: 'ResNet-50 forward, 64 px, batch 1',
    inputs: () => ({ x: uniform(resNetInput, 1), ...resNet50Parameters() }),
    reference: resNet50Features,
    checkedRuns: 1,
    tolerance: 1e-3,
  },
  'Adam 25M': {
    title: 'Adam, 25 M parameters',
    inputs: () => ({ values: uniform([adamSize], 1), grads: uniform([adamSize], 2) }),
    reference: (inputs) => {
      const values = Float64Array.from(need(inputs, 'values').data);
      const moments = [new Float64Array(values.length), new Float64Array(values.length)] as const;
      for (let step = 1; step <= checkedSteps; step++) adamStep(values, data(inputs, 'grads'), moments, step);
      return { values };
    },
    checkedRuns: checkedSteps,
    tolerance: 1e-5,
  },
  'transformer step': {
    title: 'train step, 2 encoder layers, 4x64 tokens, width 128, Adam',
    inputs: () => ({
      x: uniform([encoder.batch, encoder.tokens, encoder.hidden], 1, 1.7),
      labels: classes(encoder.batch),
      ...encoderParameters(),
    }),
    reference: (inputs) => encoderLosses(inputs, checkedSteps),
    checkedRuns: checkedSteps,
    tolerance: 1e-3,
  },
} as const satisfies Readonly<Record<string, Workload>>;

export type WorkloadName = keyof typeof workloads;
export const workloadNames = Object.keys(workloads) as readonly WorkloadName[];
