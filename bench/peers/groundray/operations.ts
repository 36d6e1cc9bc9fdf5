import { attention } from '../../../src/autograd/ops/attention.ts';
import { batchNorm } from '../../../src/autograd/ops/batchNorm.ts';
import { layerNorm } from '../../../src/autograd/ops/layerNorm.ts';
import { backward, noGrad } from '../../../src/autograd/tape.ts';
import { Tensor } from '../../../src/autograd/tensor.ts';
import type { Gpu } from '../../../src/gpu/gpu.ts';
import { binary } from '../../../src/kernels/binary.ts';
import { conv2d, conv2dInputGrad, conv2dWeightGrad } from '../../../src/kernels/conv2d.ts';
import { conv2dGeometry } from '../../../src/kernels/convGeometry.ts';
import { fill } from '../../../src/kernels/fill.ts';
import { matmul } from '../../../src/kernels/matmul.ts';
import { NDArray } from '../../../src/kernels/ndarray.ts';
import { softmax } from '../../../src/kernels/softmax.ts';
import type { HostTensor, HostTensors } from '../host.ts';
import { need, needAll } from '../host.ts';
import type { ConvShape } from '../reference/conv.ts';
import { chain, conv3x3, convStem } from '../workloads.ts';
import type { WorkOf } from './work.ts';

export const upload = (gpu: Gpu, { data, shape }: HostTensor): NDArray =>
  NDArray.from(gpu, data, shape, data instanceof Int32Array ? 'i32' : 'f32');

function uploads(gpu: Gpu, inputs: HostTensors, names: readonly string[]): NDArray[] {
  return names.map((name) => upload(gpu, need(inputs, name)));
}

/** Work on arrays, without gradients. */
const arrays =
  (names: readonly string[], record: (arrays: readonly NDArray[]) => Record<string, NDArray>): WorkOf =>
  (gpu, inputs) => {
    const owned = uploads(gpu, inputs, names);
    return { record: () => record(owned), owned };
  };

const at = (arrays: readonly NDArray[], index: number): NDArray => {
  const found = arrays[index];
  if (!found) throw new Error(`The work has no array ${index}.`);
  return found;
};

type Backwarded = (leaves: readonly Tensor[]) => Tensor;

/** Forward, and backward from `dy`; `gradients` names those of the leaves. */
function withGradients(
  names: readonly string[],
  gradients: readonly string[],
  makeForward: (gpu: Gpu) => Backwarded,
): WorkOf {
  return (gpu, inputs) => {
    const leaves = uploads(gpu, inputs, names).map((array) => new Tensor(array, { requiresGrad: true }));
    const dy = upload(gpu, need(inputs, 'dy'));
    const forward = makeForward(gpu);
    const record = (): Record<string, NDArray> => {
      const y = forward(leaves);
      backward([y], [dy]);
      const results: Record<string, NDArray> = { y: y.array };
      for (const [i, leaf] of leaves.entries()) {
        const name = gradients[i];
        if (name && leaf.grad) results[name] = leaf.grad;
        leaf.grad = undefined;
      }
      return results;
    };
    return { record, owned: [...leaves, dy] };
  };
}

const three = (leaves: readonly Tensor[]): readonly [Tensor, Tensor, Tensor] => {
  const [a, b, c] = leaves;
  if (!a || !b || !c) throw new Error('The work needs three tensors.');
  return [a, b, c];
};

const geometryOf = (x: NDArray, w: NDArray, { stride, padding }: ConvShape) =>
  conv2dGeometry(x, w, { stride, padding });

const convForward = (shape: ConvShape): WorkOf =>
  arrays(['x', 'w'], ([x, w]) => {
    if (!x || !w) throw new Error('The convolution needs x and w.');
    return { y: conv2d(x, w, undefined, geometryOf(x, w, shape)) };
  });

export const operations = {
  'matmul 512': arrays(['a', 'b'], (given) => ({ y: matmul(at(given, 0), at(given, 1)) })),
  'conv 3x3': convForward(conv3x3),
  'conv 3x3 input gradient': arrays(['x', 'w', 'dy'], (given) => {
    const [x, w, dy] = [at(given, 0), at(given, 1), at(given, 2)];
    return { dx: conv2dInputGrad(dy, w, geometryOf(x, w, conv3x3)) };
  }),
  'conv 3x3 weight gradient': arrays(['x', 'w', 'dy'], (given) => {
    const [x, w, dy] = [at(given, 0), at(given, 1), at(given, 2)];
    return { dw: conv2dWeightGrad(x, dy, geometryOf(x, w, conv3x3)) };
  }),
  'conv 7x7 stem': convForward(convStem),
  'batch norm': withGradients(['x', 'weight', 'bias'], ['dx', 'dWeight', 'dBias'], (gpu) => {
    const running = { runningMean: fill(gpu, [64], 0), runningVar: fill(gpu, [64], 1) };
    return (leaves) => batchNorm(...three(leaves), running, { train: true });
  }),
  'layer norm': withGradients(
    ['x', 'weight', 'bias'],
    ['dx', 'dWeight', 'dBias'],
    () => (leaves) => layerNorm(...three(leaves), 1e-5),
  ),
  attention: (gpu, inputs) => {
    const given = needAll(inputs, ['q', 'k', 'v']).map((host) => new Tensor(upload(gpu, host)));
    return { record: () => noGrad(() => ({ y: attention(...three(given)).array })), owned: given };
  },
  'attention backward': withGradients(
    ['q', 'k', 'v'],
    ['dq', 'dk', 'dv'],
    () => (leaves) => attention(...three(leaves)),
  ),
  softmax: arrays(['x'], ([x]) => {
    if (!x) throw new Error('Softmax needs x.');
    return { y: softmax('softmax', x, 1) };
  }),
  'tiny operations': (gpu, inputs) => {
    const [x, step] = needAll(inputs, ['x', 'step']).map((host) => upload(gpu, host));
    if (!x || !step) throw new Error('The chain needs x and a step.');
    const record = () => {
      let sum = x;
      for (let i = 0; i < chain.operations; i++) {
        const before = sum;
        sum = binary('add', before, step);
        if (before !== x) before.dispose();
      }
      return { y: sum };
    };
    return { record, owned: [x, step] };
  },
} satisfies Record<string, WorkOf>;
