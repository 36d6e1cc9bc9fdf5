/**
 * The public entry `groundray/node`: the engine as it is in Node, readers of files, and where measured plans are kept.
 * @module groundray/node
 */

export * from './engine.node.ts';
export { nodeCodecs } from './io/codecs.node.ts';
export { MissingPackageError } from './io/errors.ts';
export { readImage } from './io/image.node.ts';
export { openTensorFile } from './io/openTensors.node.ts';
export { encodePng, type Pixels } from './io/png.node.ts';
export { fileStore, nodeRuntime } from './kernels/tuning/fileStore.node.ts';
export { latestRun, openRunFolder, type RunDescription } from './train/runFolder.node.ts';
export { type LoadedModel, loadTrainedModel } from './train/trainedModel.node.ts';
