/** Prints which adapter is taken by default: `hardware`, `software` (the system's) or `swiftshader`. */
import { createGpu } from '../src/gpu/create.node.ts';

const gpu = await createGpu();
const { kind, description } = gpu.adapter;
console.log(/swiftshader/i.test(description) ? 'swiftshader' : kind);
gpu.dispose();
