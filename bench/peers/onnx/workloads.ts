import type { HostTensors } from '../host.ts';
import { channelsFirst, channelsLast, need, needAll } from '../host.ts';
import { resNet50 } from '../models.ts';
import type { ConvShape } from '../reference/conv.ts';
import { outSize } from '../reference/conv.ts';
import type { WorkloadName } from '../workloads.ts';
import { attentionShape, chain, conv3x3, convStem, softmaxShape } from '../workloads.ts';
import type { OnnxNode } from './proto.ts';
import type { OnnxWork } from './work.ts';

const noGradients = 'ONNX Runtime for the web has no gradients.';

function convAttributes(kernel: number, { stride, padding }: { readonly stride: number; readonly padding: number }) {
  return {
    kernel_shape: [kernel, kernel],
    strides: [stride, stride],
    pads: [padding, padding, padding, padding],
  };
}

const convForward =
  (shape: ConvShape) =>
  (inputs: HostTensors): OnnxWork => {
    const [x, w] = [channelsFirst(need(inputs, 'x')), channelsFirst(need(inputs, 'w'))];
    const out = outSize(shape);
    return {
      graph: {
        nodes: [{ op: 'Conv', inputs: ['x', 'w'], output: 'y', attributes: convAttributes(shape.kernel, shape) }],
        inputs: { x: x.shape },
        outputs: { y: [shape.batch, shape.filters, out, out] },
        weights: { w },
      },
      inputs: { x },
      turn: channelsLast,
      note: 'channels first',
    };
  };

function convInputGrad(inputs: HostTensors): OnnxWork {
  const [dy, w] = [channelsFirst(need(inputs, 'dy')), channelsFirst(need(inputs, 'w'))];
  const { batch, size, channels } = conv3x3;
  const attributes = convAttributes(conv3x3.kernel, conv3x3);
  return {
    graph: {
      nodes: [{ op: 'ConvTranspose', inputs: ['dy', 'w'], output: 'dx', attributes }],
      inputs: { dy: dy.shape },
      outputs: { dx: [batch, channels, size, size] },
      weights: { w },
    },
    inputs: { dy },
    turn: channelsLast,
    note: 'ConvTranspose, channels first',
  };
}

/** Its fused operator MultiHeadAttention gave wrong results with subgroups of 4 and of 8 (version 1.30.0). */
function attention(inputs: HostTensors): OnnxWork {
  const { heads, tokens, depth } = attentionShape;
  const shape = [1, heads, tokens, depth];
  const [q, k, v] = needAll(inputs, ['q', 'k', 'v']);
  return {
    graph: {
      nodes: [
        { op: 'Transpose', inputs: ['k'], output: 'turned', attributes: { perm: [0, 1, 3, 2] } },
        { op: 'MatMul', inputs: ['q', 'turned'], output: 'scores' },
        { op: 'Mul', inputs: ['scores', 'scale'], output: 'scaled' },
        { op: 'Softmax', inputs: ['scaled'], output: 'weights', attributes: { axis: -1 } },
        { op: 'MatMul', inputs: ['weights', 'v'], output: 'y' },
      ],
      inputs: { q: shape, k: shape, v: shape },
      outputs: { y: shape },
      weights: { scale: { shape: [], data: Float32Array.of(1 / Math.sqrt(depth)) } },
    },
    inputs: { q, k, v },
    note: 'MatMul, Softmax, MatMul; the fused operator is wrong on small subgroups',
  };
}

function tinyOperations(inputs: HostTensors): OnnxWork {
  const { operations, width } = chain;
  const name = (i: number): string => (i === 0 ? 'x' : i === operations ? 'y' : `sum.${i}`);
  return {
    graph: {
      nodes: Array.from({ length: operations }, (_, i) => ({
        op: 'Add',
        inputs: [name(i), 'step'],
        output: name(i + 1),
      })),
      inputs: { x: [width], step: [width] },
      outputs: { y: [width] },
      weights: {},
    },
    inputs: { x: need(inputs, 'x'), step: need(inputs, 'step') },
  };
}

function resNetForward(inputs: HostTensors): OnnxWork {
  const { x: _, ...weights } = inputs;
  const x = channelsFirst(need(inputs, 'x'));
  const nodes: OnnxNode[] = [];
  const push = (node: Omit<OnnxNode, 'output'>): string => {
    const output = `value.${nodes.length}`;
    nodes.push({ ...node, output });
    return output;
  };
  const last = resNet50<string>(
    {
      conv: (value, weight, options) =>
        push({
          op: 'Conv',
          inputs: [value, weight],
          attributes: convAttributes(need(weights, weight).shape[1] ?? 1, options),
        }),
      norm: (value, name) =>
        push({
          op: 'BatchNormalization',
          inputs: [value, ...['weight', 'bias', 'running_mean', 'running_var'].map((part) => `${name}.${part}`)],
          attributes: { epsilon: { float: 1e-5 } },
        }),
      relu: (value) => push({ op: 'Relu', inputs: [value] }),
      add: (a, b) => push({ op: 'Add', inputs: [a, b] }),
      maxPool: (value) =>
        push({ op: 'MaxPool', inputs: [value], attributes: convAttributes(3, { stride: 2, padding: 1 }) }),
      globalMean: (value) => push({ op: 'GlobalAveragePool', inputs: [value] }),
      again: (value) => value,
    },
    'x',
  );
  return {
    graph: {
      nodes: [...nodes, { op: 'Flatten', inputs: [last], output: 'y' }],
      inputs: { x: x.shape },
      outputs: { y: [1, 2048] },
      weights: Object.fromEntries(
        Object.entries(weights).map(([name, host]) => [name, host.shape.length === 4 ? channelsFirst(host) : host]),
      ),
    },
    inputs: { x },
    note: 'channels first',
  };
}

/** Forward work as ONNX graphs. */
export const onnxWorkloads: Readonly<Record<WorkloadName, ((inputs: HostTensors) => OnnxWork) | string>> = {
  'matmul 512': (inputs) => ({
    graph: {
      nodes: [{ op: 'MatMul', inputs: ['a', 'b'], output: 'y' }],
      inputs: { a: [512, 512], b: [512, 512] },
      outputs: { y: [512, 512] },
      weights: {},
    },
    inputs,
  }),
  'conv 3x3': convForward(conv3x3),
  'conv 3x3 input gradient': convInputGrad,
  'conv 3x3 weight gradient': noGradients,
  'conv 7x7 stem': convForward(convStem),
  'batch norm': noGradients,
  'layer norm': noGradients,
  attention,
  'attention backward': noGradients,
  softmax: (inputs) => ({
    graph: {
      nodes: [{ op: 'Softmax', inputs: ['x'], output: 'y', attributes: { axis: -1 } }],
      inputs: { x: softmaxShape },
      outputs: { y: softmaxShape },
      weights: {},
    },
    inputs,
  }),
  'tiny operations': tinyOperations,
  'small CNN step': noGradients,
  'ResNet-50 forward': resNetForward,
  'Adam 25M': 'ONNX Runtime for the web has no optimizers.',
  'transformer step': noGradients,
};
