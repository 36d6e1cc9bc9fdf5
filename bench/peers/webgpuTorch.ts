import * as torch from 'webgpu-torch';
import type { AdapterSummary } from '../../src/gpu/adapter.ts';
import type { HostTensor, HostTensors } from './host.ts';
import { channelsFirst, channelsLast, need } from './host.ts';
import type { Library, Prepared, WorkloadTable } from './library.ts';
import { prepareFrom } from './library.ts';
import type { ConvShape } from './reference/conv.ts';
import { chain, conv3x3, convStem } from './workloads.ts';

const missing = (what: string): string => `webgpu-torch has no ${what}.`;

type Nested = number | Nested[];

/** Its tensors are made from nested arrays. */
function nested(data: ArrayLike<number>, shape: readonly number[], offset = 0): Nested {
  const [size = 0, ...rest] = shape;
  if (shape.length === 0) return data[offset] ?? Number.NaN;
  const step = rest.reduce((product, n) => product * n, 1);
  return Array.from({ length: size }, (_, i) => nested(data, rest, offset + i * step));
}

function upload({ data, shape }: HostTensor): torch.Tensor {
  return torch.tensor({ data: nested(data, shape) as number[], dtype: 'float32', device: 'webgpu' });
}

/** The device is not public. */
function queueOf({ device }: torch.Tensor): GPUQueue {
  const { gpuDevice } = device as unknown as { readonly gpuDevice: GPUDevice };
  return gpuDevice.queue;
}

function work(
  names: readonly string[],
  call: (tensors: readonly torch.Tensor[]) => torch.Tensor,
  isImage = false,
): (inputs: HostTensors) => Promise<Prepared> {
  return async (inputs) => {
    const tensors = names.map((name) => {
      const host = need(inputs, name);
      return upload(isImage ? channelsFirst(host) : host);
    });
    const [first] = tensors;
    if (!first) throw new Error('The work of webgpu-torch needs a tensor.');
    let latest = first;
    return {
      note: isImage ? 'eager, channels first' : 'eager',
      run: () => {
        latest = call(tensors);
      },
      sync: async () => {
        await queueOf(first).onSubmittedWorkDone();
      },
      results: async () => {
        const nested = (await latest.toArrayAsync()) as unknown as number[];
        const depth = latest.shape.length - 1;
        const data = Float32Array.from(nested.flat(depth));
        const host = { shape: latest.shape, data };
        return { y: (isImage ? channelsLast(host) : host).data };
      },
      // It frees its buffers only when they are collected.
      dispose: () => undefined,
    };
  };
}

const pair = ([a, b]: readonly torch.Tensor[]): readonly [torch.Tensor, torch.Tensor] => {
  if (!a || !b) throw new Error('The work of webgpu-torch needs two tensors.');
  return [a, b];
};

const conv = ({ stride, padding }: ConvShape) =>
  work(['x', 'w'], (tensors) => torch.conv2d(...pair(tensors), undefined, stride, padding), true);

const table: WorkloadTable = {
  'matmul 512': work(['a', 'b'], (tensors) => {
    const [a, b] = pair(tensors);
    return torch.mm(a, b);
  }),
  'conv 3x3': conv(conv3x3),
  'conv 3x3 input gradient': missing('gradient of a convolution'),
  'conv 3x3 weight gradient': missing('gradient of a convolution'),
  'conv 7x7 stem': conv(convStem),
  'batch norm': missing('batch norm'),
  'layer norm': missing('layer norm'),
  attention: missing('softmax'),
  'attention backward': missing('softmax'),
  softmax: missing('softmax'),
  'tiny operations': work(['x', 'step'], (tensors) => {
    const [x, step] = pair(tensors);
    let sum = x;
    for (let i = 0; i < chain.operations; i++) sum = sum.add(step);
    return sum;
  }),
  'small CNN step': missing('batch norm'),
  'ResNet-50 forward': missing('batch norm'),
  'Adam 25M': missing('optimizer'),
  'transformer step': missing('softmax'),
};

export async function webgpuTorch(adapter: AdapterSummary): Promise<Library> {
  if (!(await torch.initWebGPUAsync())) throw new Error('webgpu-torch did not start on WebGPU.');
  return { adapter, prepare: (workload, inputs) => prepareFrom(table, workload, inputs) };
}
