/**
 * A render loop of an application with a device of its own. In every frame the engine records its kernels into the
 * application's command encoder, and the fragment shader reads their result where it lies: nothing is copied or read back.
 */
import { wrapDevice } from 'groundray';
import { phantomDataset } from 'groundray/data';
import { alikeEverywhere } from './alike.ts';
import { heatMapShader } from './heatMap.wgsl.ts';

const size = 128;

/** The image as a texture of one channel. */
function imageTexture(device: GPUDevice, pixels: Float32Array): GPUTexture {
  const usage = GPUTextureUsage.TEXTURE_BINDING | GPUTextureUsage.COPY_DST;
  const texture = device.createTexture({ size: [size, size], format: 'r8unorm', usage });
  const bytes = Uint8Array.from(pixels, (value) => Math.round(255 * value));
  device.queue.writeTexture({ texture }, bytes, { bytesPerRow: size }, [size, size]);
  return texture;
}

async function run(canvas: HTMLCanvasElement, status: HTMLElement): Promise<void> {
  const adapter = await navigator.gpu?.requestAdapter();
  if (!adapter) throw new Error('This browser has no WebGPU. Use a current Chrome, Edge, Safari or Firefox.');
  const device = await adapter.requestDevice();
  device.addEventListener('uncapturederror', ({ error }) => console.error(error.message));
  const gpu = wrapDevice(device);

  const dataset = phantomDataset({ count: 10, size });
  const { data } = await dataset.loadImage(dataset.phrases[0]?.studyId ?? '');
  const { cells, frame, choose } = alikeEverywhere(gpu, data, size);

  const context = canvas.getContext('webgpu');
  if (!context) throw new Error('This browser cannot draw with WebGPU on a canvas.');
  const format = navigator.gpu.getPreferredCanvasFormat();
  context.configure({ device, format });
  const module = device.createShaderModule({ code: `const CELLS = ${cells}u;\n${heatMapShader}` });
  const pipelineFor = (target: GPUTextureFormat): GPURenderPipeline =>
    device.createRenderPipeline({
      layout: 'auto',
      vertex: { module, entryPoint: 'cover' },
      fragment: { module, entryPoint: 'shade', targets: [{ format: target }] },
    });
  const texture = imageTexture(device, data).createView();
  const sampler = device.createSampler({ magFilter: 'linear', minFilter: 'linear' });

  /** One frame: the engine's kernels, and then the picture of what they computed, in one command buffer. */
  const drawer = (target: GPUTextureFormat): ((view: GPUTextureView, encoder: GPUCommandEncoder) => void) => {
    const pipeline = pipelineFor(target);
    const group = device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [
        { binding: 0, resource: texture },
        { binding: 1, resource: sampler },
        { binding: 2, resource: frame.result.binding },
      ],
    });
    return (view, encoder) => {
      frame.encode(encoder);
      const pass = encoder.beginRenderPass({ colorAttachments: [{ view, loadOp: 'clear', storeOp: 'store' }] });
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.draw(3);
      pass.end();
    };
  };
  const draw = drawer(format);

  const point = (x: number, y: number): void => {
    const cell = (share: number): number => Math.min(cells - 1, Math.max(0, Math.floor(share * cells)));
    choose(cell(y) * cells + cell(x));
  };
  point(0.3, 0.6);
  canvas.addEventListener('pointermove', ({ offsetX, offsetY }) =>
    point(offsetX / canvas.clientWidth, offsetY / canvas.clientHeight),
  );

  let frames = 0;
  const next = (): void => {
    const encoder = device.createCommandEncoder();
    draw(context.getCurrentTexture().createView(), encoder);
    device.queue.submit([encoder.finish()]);
    frames += 1;
    requestAnimationFrame(next);
  };
  next();
  status.textContent = `Point at a place: yellow is what looks like it.`;
  // For the test, which draws a frame into a texture that it may read.
  globalThis.heatMapExample = { device, gpu, pixels: data, size, cells, point, drawer, frames: () => frames };
}

declare global {
  var heatMapExample: {
    readonly device: GPUDevice;
    readonly gpu: ReturnType<typeof wrapDevice>;
    readonly pixels: Float32Array;
    readonly size: number;
    readonly cells: number;
    readonly point: (x: number, y: number) => void;
    readonly drawer: (target: GPUTextureFormat) => (view: GPUTextureView, encoder: GPUCommandEncoder) => void;
    readonly frames: () => number;
  };
}

const [status, canvas] = [document.querySelector<HTMLElement>('#status'), document.querySelector('canvas')];
if (status && canvas) {
  run(canvas, status).catch((error: unknown) => {
    status.textContent = error instanceof Error ? error.message : String(error);
  });
}
