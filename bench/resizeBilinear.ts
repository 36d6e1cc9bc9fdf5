import { resizeBilinear, resizeBilinearGrad, resizeGeometry } from '../src/kernels/resizeBilinear.ts';
import { numel } from '../src/kernels/shape.ts';
import type { BenchCase, Scale } from './harness.ts';
import { randomArray } from './harness.ts';

function resize(batch: number, from: number, to: number, channels: number): BenchCase[] {
  const [shape, result] = [
    [batch, from, from, channels],
    [batch, to, to, channels],
  ];
  const geometry = resizeGeometry(shape, [to, to], false);
  const work = { flops: 8 * numel(result), bytes: 4 * (numel(shape) + numel(result)) };
  const name = `resizeBilinear ${shape.join('x')} to ${to}x${to}`;
  return [
    {
      ...work,
      name,
      prepare: (gpu) => {
        const x = randomArray(gpu, shape);
        return () => void resizeBilinear(x, geometry);
      },
    },
    {
      ...work,
      name: `${name}, gradient`,
      prepare: (gpu) => {
        const dy = randomArray(gpu, result);
        return () => void resizeBilinearGrad(dy, shape, geometry);
      },
    },
  ];
}

/** Maps of similarities to the size of the image, and images to the 299 pixels of GLoRIA. */
export const cases = ({ batch }: Scale): BenchCase[] => [...resize(batch, 14, 224, 1), ...resize(batch, 224, 299, 1)];
