// The public entry `groundray` in Node: everything of `index.ts`, with a `createGpu` that runs on Dawn. It loads no reader
// of files; those are in `groundray/node`.

export { createGpu, type NodeGpuOptions } from './gpu/create.node.ts';
export * from './index.ts';
