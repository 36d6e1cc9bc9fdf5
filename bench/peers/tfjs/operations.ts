import type { NamedTensorMap, Tensor, Tensor1D, Tensor4D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { HostTensor, HostTensors } from '../host.ts';
import { need } from '../host.ts';
import type { Prepared, WorkloadTable } from '../library.ts';
import type { ConvShape } from '../reference/conv.ts';
import { chain, conv3x3, convStem } from '../workloads.ts';
import type { Sync } from './work.ts';
import { fromFilter, TfjsWork, toFilter, upload } from './work.ts';

export function conv(
  x: Tensor,
  w: Tensor,
  { stride, padding }: { readonly stride: number; readonly padding: number },
): Tensor4D {
  return tf.conv2d(x as Tensor4D, w as Tensor4D, stride, padding, 'NHWC', [1, 1], 'floor');
}

const attributes = ({ stride, padding }: ConvShape) => ({
  strides: [stride, stride],
  pad: padding,
  dataFormat: 'NHWC',
  dimRoundingMode: 'floor',
});

export function batchNorm(x: Tensor, weight: Tensor, bias: Tensor): Tensor {
  const { mean, variance } = tf.moments(x, [0, 1, 2]);
  return tf.batchNorm(x, mean as Tensor1D, variance as Tensor1D, bias as Tensor1D, weight as Tensor1D, 1e-5);
}

export function layerNorm(x: Tensor, weight: Tensor, bias: Tensor): Tensor {
  const { mean, variance } = tf.moments(x, -1, true);
  const unit = tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, 1e-5)));
  return tf.add(tf.mul(unit, weight), bias);
}

/** `[..., tokens, depth]` */
export function attention(q: Tensor, k: Tensor, v: Tensor): Tensor {
  const scores = tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(q.shape.at(-1) ?? 1));
  return tf.matMul(tf.softmax(scores), v);
}

type Three = (a: Tensor, b: Tensor, c: Tensor) => Tensor;

export function tfjsOperations(sync: Sync): WorkloadTable {
  const work =
    (
      names: readonly string[],
      call: (tensors: readonly Tensor[]) => NamedTensorMap,
      turns: { readonly in?: string; readonly out?: Readonly<Record<string, (host: HostTensor) => HostTensor>> } = {},
      note?: string,
    ) =>
    async (inputs: HostTensors): Promise<Prepared> => {
      const owned = names.map((name) => upload(name === turns.in ? toFilter(need(inputs, name)) : need(inputs, name)));
      const { out = {} } = turns;
      return new TfjsWork({ call: () => call(owned), sync, owned, turn: out, ...(note ? { note } : {}) });
    };
  const at = (tensors: readonly Tensor[], index: number): Tensor => {
    const found = tensors[index];
    if (!found) throw new Error(`The work of TensorFlow.js has no tensor ${index}.`);
    return found;
  };
  const convForward = (shape: ConvShape) =>
    work(['x', 'w'], (given) => ({ y: conv(at(given, 0), at(given, 1), shape) }), { in: 'w' });
  const withGradients = (names: readonly string[], gradients: readonly string[], f: Three) =>
    work(
      [...names, 'dy'],
      (given) => {
        const call = tf.valueAndGrads((...tensors: Tensor[]) => f(at(tensors, 0), at(tensors, 1), at(tensors, 2)));
        const { value, grads } = call([...given.slice(0, 3)], at(given, 3));
        return { y: value, ...Object.fromEntries(grads.map((grad, i) => [gradients[i] ?? '', grad])) };
      },
      {},
      'tf.tidy, tf.valueAndGrads',
    );
  return {
    'matmul 512': work(['a', 'b'], (given) => ({ y: tf.matMul(at(given, 0), at(given, 1)) })),
    'conv 3x3': convForward(conv3x3),
    'conv 3x3 input gradient': work(
      ['w', 'dy'],
      (given) => {
        const inputShape = [conv3x3.batch, conv3x3.size, conv3x3.size, conv3x3.channels];
        const operands = { filter: at(given, 0), dy: at(given, 1) };
        return {
          dx: tf.engine().runKernel('Conv2DBackpropInput', operands, { ...attributes(conv3x3), inputShape }) as Tensor,
        };
      },
      { in: 'w' },
      'the kernel Conv2DBackpropInput alone',
    ),
    'conv 3x3 weight gradient': work(
      ['x', 'dy'],
      (given) => {
        const filterShape = [conv3x3.kernel, conv3x3.kernel, conv3x3.channels, conv3x3.filters];
        const operands = { x: at(given, 0), dy: at(given, 1) };
        return {
          dw: tf
            .engine()
            .runKernel('Conv2DBackpropFilter', operands, { ...attributes(conv3x3), filterShape }) as Tensor,
        };
      },
      { out: { dw: fromFilter } },
      'the kernel Conv2DBackpropFilter alone',
    ),
    'conv 7x7 stem': convForward(convStem),
    'batch norm': withGradients(['x', 'weight', 'bias'], ['dx', 'dWeight', 'dBias'], batchNorm),
    'layer norm': withGradients(['x', 'weight', 'bias'], ['dx', 'dWeight', 'dBias'], layerNorm),
    attention: work(['q', 'k', 'v'], (given) => ({ y: attention(at(given, 0), at(given, 1), at(given, 2)) })),
    'attention backward': withGradients(['q', 'k', 'v'], ['dq', 'dk', 'dv'], attention),
    softmax: work(['x'], (given) => ({ y: tf.softmax(at(given, 0)) })),
    'tiny operations': async (inputs) => {
      const [x, step] = [upload(need(inputs, 'x')), upload(need(inputs, 'step'))];
      // Otherwise arrays as small as these are added by JavaScript.
      tf.env().set('WEBGPU_CPU_FORWARD', false);
      const forwardAgain = { dispose: () => tf.env().set('WEBGPU_CPU_FORWARD', true) };
      return new TfjsWork({
        note: 'tf.tidy, WEBGPU_CPU_FORWARD off',
        call: () => {
          let sum = x;
          for (let i = 0; i < chain.operations; i++) {
            const next = tf.add(sum, step);
            if (i > 0) sum.dispose();
            sum = next;
          }
          return { y: sum };
        },
        sync,
        owned: [x, step, forwardAgain],
      });
    },
  };
}
