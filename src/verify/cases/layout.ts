import { permute } from '../../autograd/ops/shape.ts';
import type { Tensor } from '../../autograd/tensor.ts';

/** `[batch, channels, ...]`, as the fixtures store images and convolution weights, to the engine's `[batch, ..., channels]`. */
export function channelsLast(x: Tensor): Tensor {
  const spatial = Array.from({ length: x.rank - 2 }, (_, i) => i + 2);
  return permute(x, [0, ...spatial, 1]);
}

/** The engine's `[batch, ..., channels]` to `[batch, channels, ...]`. */
export function channelsFirst(x: Tensor): Tensor {
  const spatial = Array.from({ length: x.rank - 2 }, (_, i) => i + 1);
  return permute(x, [0, x.rank - 1, ...spatial]);
}
