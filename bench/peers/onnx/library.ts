import * as ort from 'onnxruntime-web/webgpu';
import type { AdapterSummary } from '../../../src/gpu/adapter.ts';
import type { HostTensor } from '../host.ts';
import { sizeOf } from '../host.ts';
import type { Library, Prepared, Results } from '../library.ts';
import { prepareFrom } from '../library.ts';
import { encodeModel } from './proto.ts';
import type { OnnxWork } from './work.ts';
import { onnxWorkloads } from './workloads.ts';

interface Placed {
  readonly buffer: GPUBuffer;
  readonly tensor: ort.Tensor;
  readonly shape: readonly number[];
}

function place(device: GPUDevice, shape: readonly number[], data?: Float32Array): Placed {
  const bytes = Math.ceil((4 * sizeOf(shape)) / 16) * 16;
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const buffer = device.createBuffer({ size: bytes, usage });
  if (data) device.queue.writeBuffer(buffer, 0, data.buffer, data.byteOffset, data.byteLength);
  const tensor = ort.Tensor.fromGpuBuffer(buffer, { dataType: 'float32', dims: [...shape] });
  return { buffer, tensor: tensor as ort.Tensor, shape };
}

async function read(device: GPUDevice, { buffer, shape }: Placed): Promise<Float32Array<ArrayBuffer>> {
  const bytes = 4 * sizeOf(shape);
  const staging = device.createBuffer({ size: bytes, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, bytes);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const values = new Float32Array(staging.getMappedRange().slice(0));
  staging.destroy();
  return values;
}

const placeAll = (
  device: GPUDevice,
  shapes: Readonly<Record<string, readonly number[]>>,
  hosts: Readonly<Record<string, HostTensor>>,
): [string, Placed][] =>
  Object.entries(shapes).map(([name, shape]) => {
    const data = hosts[name]?.data;
    return [name, place(device, shape, data instanceof Float32Array ? data : undefined)];
  });

const feedsOf = (placed: readonly [string, Placed][]): Record<string, ort.Tensor> =>
  Object.fromEntries(placed.map(([name, { tensor }]) => [name, tensor]));

async function prepare({ graph, inputs, turn, note }: OnnxWork): Promise<Prepared> {
  const session = await ort.InferenceSession.create(encodeModel(graph), {
    executionProviders: ['webgpu'],
    preferredOutputLocation: 'gpu-buffer',
  });
  const device = (await ort.env.webgpu.device) as GPUDevice;
  const [given, made] = [placeAll(device, graph.inputs, inputs), placeAll(device, graph.outputs, {})];
  const [feeds, fetches] = [feedsOf(given), feedsOf(made)];
  return {
    // Its graph capture fails in this version: replaying finds the bindings of the first run released.
    note: [note, 'inputs and outputs on the GPU, without graph capture'].filter(Boolean).join(', '),
    run: async () => {
      await session.run(feeds, fetches);
    },
    sync: async () => {
      await device.queue.onSubmittedWorkDone();
    },
    results: async () => {
      const all: Record<string, ArrayLike<number>> = {};
      for (const [name, placed] of made) {
        const host = { shape: placed.shape, data: await read(device, placed) };
        all[name] = (turn && host.shape.length === 4 ? turn(host) : host).data;
      }
      return all satisfies Results;
    },
    dispose: async () => {
      await session.release();
      for (const [, { buffer }] of [...given, ...made]) buffer.destroy();
    },
  };
}

/** ONNX Runtime with its WebGPU execution provider. @param wasmBinary the runtime, where it cannot be fetched. */
export async function onnxRuntime(adapter: AdapterSummary, wasmBinary?: ArrayBuffer): Promise<Library> {
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = 'error';
  if (wasmBinary) ort.env.wasm.wasmBinary = wasmBinary;
  const table = Object.fromEntries(
    Object.entries(onnxWorkloads).map(([name, work]) => [
      name,
      typeof work === 'string' ? work : (inputs: Parameters<typeof work>[0]) => prepare(work(inputs)),
    ]),
  );
  return { adapter, prepare: (workload, inputs) => prepareFrom(table, workload, inputs) };
}
