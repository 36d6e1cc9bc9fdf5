// The public entries `groundray/node` and, in Node, `groundray`: everything of `index.ts`, with a `createGpu` that runs on
// Dawn, and readers of files.

export { createGpu, type NodeGpuOptions } from './gpu/create.node.ts';
export * from './index.ts';
export { nodeCodecs } from './io/codecs.node.ts';
export { readImage } from './io/image.node.ts';
export { openTensorFile } from './io/openTensors.node.ts';
export { fileStore, nodeRuntime } from './kernels/tuning/fileStore.node.ts';
