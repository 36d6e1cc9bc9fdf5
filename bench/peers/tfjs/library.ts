import '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import type { AdapterSummary } from '../../../src/gpu/adapter.ts';
import type { Library } from '../library.ts';
import { prepareFrom } from '../library.ts';
import { tfjsModels } from './models.ts';
import { tfjsOperations } from './operations.ts';

/** TensorFlow.js on `navigator.gpu`, which has to be there when this module is loaded. */
export async function tfjs(adapter: AdapterSummary): Promise<Library> {
  if (!(await tf.setBackend('webgpu'))) throw new Error('TensorFlow.js did not start its WebGPU backend.');
  await tf.ready();
  // Large enough to be computed on the GPU; smaller ones stay on the host, and reading them would wait for nothing.
  const resident = tf.tidy(() => tf.add(tf.ones([64, 64]), 1));
  // Reading back one element is the library's own way to wait: it submits what is queued, and maps behind it.
  const sync = async (): Promise<void> => {
    const element = tf.slice(resident, [0, 0], [1, 1]);
    await element.data();
    element.dispose();
  };
  const table = { ...tfjsOperations(sync), ...tfjsModels(sync) };
  return { adapter, prepare: (workload, inputs) => prepareFrom(table, workload, inputs) };
}
