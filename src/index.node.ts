// The public entry in Node: everything of `index.ts`, with a `createGpu` that runs on Dawn.

export { createGpu, type NodeGpuOptions } from './gpu/create.node.ts';
export * from './index.ts';
export { nodeCodecs } from './io/codecs.node.ts';
export { readImage } from './io/image.node.ts';
export { openTensorFile } from './io/openTensors.node.ts';
export { encodePng, type Pixels } from './io/png.node.ts';
export { fileStore, nodeRuntime } from './kernels/tuning/fileStore.node.ts';
export { latestRun, openRunFolder, type RunDescription } from './train/runFolder.node.ts';
export { type LoadedModel, loadTrainedModel } from './train/trainedModel.node.ts';
