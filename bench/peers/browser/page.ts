import { summarizeAdapter } from '../../../src/gpu/adapter.ts';
import { createGpu } from '../../../src/gpu/create.ts';
import type { Library } from '../library.ts';
import type { Reply, Request, StartOptions } from '../protocol.ts';
import { Session } from '../session.ts';

declare global {
  var peerRequest: (request: Request) => Promise<Reply>;
}

/** Each library comes as a script of its own, loaded only in its page. */
async function openInPage({ contender, adapter: choice }: StartOptions): Promise<Library> {
  if (contender === 'groundray' || contender === 'groundray-replayed') {
    const { groundray } = await import('../groundray/library.ts');
    return groundray(await createGpu({ requireHardware: choice === 'gpu' }), contender === 'groundray-replayed');
  }
  const adapter = await navigator.gpu?.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new Error('The browser found no WebGPU adapter.');
  const summary = summarizeAdapter(adapter.info, adapter.features);
  if (choice === 'gpu' && summary.kind === 'software') throw new Error(`Only ${summary.description} was found.`);
  if (contender === 'jax-js') return (await import('../jaxJs/library.ts')).jaxJs(summary);
  if (contender === 'tfjs') return (await import('../tfjs/library.ts')).tfjs(summary);
  if (contender === 'onnxruntime') {
    const { onnxRuntime } = await import('../onnx/library.ts');
    const runtime = await fetch('/runtime.wasm');
    return onnxRuntime(summary, await runtime.arrayBuffer());
  }
  if (contender === 'webgpu-torch') return (await import('../webgpuTorch.ts')).webgpuTorch(summary);
  throw new Error(`${contender} does not run in a browser.`);
}

const session = new Session(openInPage);

/** Replies travel as JSON, which has no typed arrays. */
globalThis.peerRequest = async (request) => {
  const reply = await session.answer(request);
  if (reply.kind !== 'prepared') return reply;
  const results = Object.fromEntries(
    Object.entries(reply.results).map(([name, { length, samples }]) => [
      name,
      { length, samples: Array.from(samples) },
    ]),
  );
  return { ...reply, results };
};
