import { create, globals } from 'webgpu';
import type { AdapterSummary } from '../../src/gpu/adapter.ts';
import { summarizeAdapter } from '../../src/gpu/adapter.ts';
import { useSwiftShader } from '../../src/gpu/swiftshader.node.ts';
import type { PeerAdapter } from './protocol.ts';

/** The toggles of our own benchmark device (`checks: false`), so that every library is measured on the same Dawn. */
const uncheckedToggles = ['enable-dawn-features=skip_validation,disable_robustness,disable_workgroup_init'];

// Dawn's instance must stay reachable for as long as the process lives: once collected, the next poll crashes.
const instances: GPU[] = [];

async function find(choice: PeerAdapter, checks: boolean): Promise<{ entry: GPU; adapter: GPUAdapter } | undefined> {
  const open = async (): Promise<{ entry: GPU; adapter: GPUAdapter } | undefined> => {
    const entry = create(checks ? [] : [...uncheckedToggles]);
    instances.push(entry);
    const adapter = await entry.requestAdapter({ powerPreference: 'high-performance' });
    return adapter ? { entry, adapter } : undefined;
  };
  if (choice === 'swiftshader') await useSwiftShader();
  const found = await open();
  if (found || choice === 'gpu') return found;
  return (await useSwiftShader()) ? open() : undefined;
}

/**
 * Dawn polls for finished work by `setImmediate` without a pause. On a software adapter the kernels need that core, and
 * our own engine slows the polls down; the peers get the same treatment, or they would be measured 1.5-2.9x too slow.
 */
function paceWaits(): void {
  const quick = globalThis.setImmediate;
  let waits = 0;
  let polls = 0;
  const paced = ((callback: (...args: unknown[]) => void, ...args: unknown[]) =>
    waits === 0 || polls++ < 50
      ? quick(callback, ...args)
      : setTimeout(callback, 1, ...args)) as unknown as typeof setImmediate;
  globalThis.setImmediate = Object.assign(paced, quick);
  const pace = <Args extends unknown[], R>(wait: (this: object, ...args: Args) => Promise<R>) =>
    async function (this: object, ...args: Args): Promise<R> {
      if (waits++ === 0) polls = 0;
      try {
        return await wait.apply(this, args);
      } finally {
        waits--;
      }
    };
  const { GPUBuffer: buffer, GPUQueue: queue } = globalThis;
  buffer.prototype.mapAsync = pace(buffer.prototype.mapAsync);
  queue.prototype.onSubmittedWorkDone = pace(queue.prototype.onSubmittedWorkDone);
}

/**
 * Node's Dawn refuses to upload from shared memory, which browsers accept and which the WebAssembly of ONNX Runtime
 * uses: such views are copied first.
 */
function acceptSharedMemory(): void {
  const { prototype } = globalThis.GPUQueue;
  const write = prototype.writeBuffer;
  prototype.writeBuffer = function (this: GPUQueue, buffer, bufferOffset, data, dataOffset, size) {
    if (!ArrayBuffer.isView(data) || !(data.buffer instanceof SharedArrayBuffer)) {
      return write.call(this, buffer, bufferOffset, data as BufferSource, dataOffset, size);
    }
    const copy = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
    // Offsets count elements of the view; the copy counts bytes.
    const unit = 'BYTES_PER_ELEMENT' in data ? Number(data.BYTES_PER_ELEMENT) : 1;
    const bytes = size === undefined ? undefined : size * unit;
    return write.call(this, buffer, bufferOffset, copy, (dataOffset ?? 0) * unit, bytes);
  };
}

/**
 * Gives libraries that are written for browsers a `navigator.gpu` in this process.
 * @throws Error if there is no such adapter.
 */
export async function installNavigatorGpu(choice: PeerAdapter, checks: boolean): Promise<AdapterSummary> {
  Object.assign(globalThis, globals);
  const found = await find(choice, checks);
  if (!found) throw new Error(`WebGPU found no adapter of the kind "${choice}" for the peers.`);
  const { entry, adapter } = found;
  const summary = summarizeAdapter(adapter.info, adapter.features);
  if (choice === 'gpu' && summary.kind === 'software') {
    throw new Error(`A hardware GPU is required, but only ${summary.description} was found.`);
  }
  acceptSharedMemory();
  if (summary.kind === 'software') paceWaits();
  const navigator = { gpu: entry, userAgent: `Node.js/${process.version}`, hardwareConcurrency: 2, language: 'en' };
  Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true, writable: true });
  return summary;
}
