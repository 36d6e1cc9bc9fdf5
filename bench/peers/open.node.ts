import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createGpu } from '../../src/gpu/create.node.ts';
import { installNavigatorGpu } from './adapter.node.ts';
import { importBundled } from './bundle.node.ts';
import type { Library } from './library.ts';
import type { StartOptions } from './protocol.ts';

/** Each library is imported only in its own process: some look for `navigator.gpu` while they are loaded. */
export async function openInNode({ contender, adapter: choice, checks }: StartOptions): Promise<Library> {
  if (contender === 'groundray' || contender === 'groundray-replayed') {
    const { groundray } = await import('./groundray/library.ts');
    const adapter = choice === 'auto' ? {} : { adapter: choice === 'gpu' ? ('hardware' as const) : choice };
    const gpu = await createGpu({ ...adapter, checks, requireHardware: choice === 'gpu' });
    return groundray(gpu, contender === 'groundray-replayed');
  }
  const adapter = await installNavigatorGpu(choice, checks);
  if (contender === 'jax-js') return (await import('./jaxJs/library.ts')).jaxJs(adapter);
  if (contender === 'tfjs') {
    const { tfjs } = (await importBundled('tfjs/library.ts')) as typeof import('./tfjs/library.ts');
    return tfjs(adapter);
  }
  if (contender === 'onnxruntime') {
    const { onnxRuntime } = await import('./onnx/library.ts');
    // It would fetch its runtime, and Node does not fetch files.
    const runtime = createRequire(import.meta.url).resolve('onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm');
    const { buffer, byteOffset, byteLength } = readFileSync(runtime);
    return onnxRuntime(adapter, buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer);
  }
  if (contender !== 'webgpu-torch') throw new Error(`${contender} does not run on WebGPU.`);
  const { webgpuTorch } = (await importBundled('webgpuTorch.ts')) as typeof import('./webgpuTorch.ts');
  return webgpuTorch(adapter);
}
