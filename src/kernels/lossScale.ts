import { defineKernel } from './define.ts';
import type { NDArray } from './ndarray.ts';
import * as wgsl from './shaders.gen.ts';

const lossScaleKernel = defineKernel({
  name: 'lossScale',
  shader: wgsl.lossScale,
  params: { maxNorm: 'f32', growAfter: 'u32' },
  bindings: ['write', 'write'],
  variants: { plain: {} },
  dispatch: () => [1, 1, 1],
  cost: () => ({ flops: 4, bytes: 40 }),
});

/**
 * Turns `clip`, the `gradNorm` of scaled gradients, into that of the true ones, with a factor that clips and unscales
 * them, and moves the scale: half of it after a gradient that is not finite, twice of it after `growAfter` good ones.
 * @param state `[scale, good steps in a row]`
 * @param maxNorm 0 measures without clipping.
 */
export function moveLossScale(state: NDArray, clip: NDArray, maxNorm: number, growAfter: number): void {
  lossScaleKernel.run(clip.gpu, 'plain', [state, clip], { maxNorm, growAfter });
}
