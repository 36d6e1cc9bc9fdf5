import * as jax from '@jax-js/jax';
import type { AdapterSummary } from '../../../src/gpu/adapter.ts';
import type { Library } from '../library.ts';
import { prepareFrom } from '../library.ts';
import { installIteratorHelpers } from './iterators.ts';
import { jaxModels } from './models.ts';
import { jaxOperations } from './operations.ts';

/** jax-js on `navigator.gpu`. @throws Error if it does not find the adapter. */
export async function jaxJs(adapter: AdapterSummary): Promise<Library> {
  installIteratorHelpers();
  const found = await jax.init('webgpu');
  if (!found.includes('webgpu')) throw new Error('jax-js did not start its WebGPU backend.');
  jax.defaultDevice('webgpu');
  const table = { ...jaxOperations, ...jaxModels };
  return { adapter, prepare: (workload, inputs) => prepareFrom(table, workload, inputs) };
}
