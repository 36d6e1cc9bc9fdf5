import { attention } from '../src/autograd/ops/attention.ts';
import { noGrad } from '../src/autograd/tape.ts';
import { Tensor } from '../src/autograd/tensor.ts';
import type { BenchCase, Scale } from './harness.ts';
import { backwardAndDrop, paddingMask, randomArray } from './harness.ts';

/** One layer of BERT-base for `batch` texts, in the form that the device prefers. */
function layer(batch: number, length: number): BenchCase[] {
  const [heads, headSize] = [12, 64];
  const shape = [batch, heads, length, headSize];
  const product = 2 * batch * heads * length * length * headSize;
  const floats = batch * heads * length * headSize;
  const name = `attention ${batch}x${heads}x${length}x${headSize}`;
  return [
    {
      name,
      flops: 2 * product,
      bytes: 16 * floats,
      prepare: (gpu) => {
        const [q, k, v] = [1, 2, 3].map((seed) => new Tensor(randomArray(gpu, shape, seed))) as [
          Tensor,
          Tensor,
          Tensor,
        ];
        const mask = new Tensor(paddingMask(gpu, batch, length, (3 * length) / 4));
        return () => noGrad(() => void attention(q, k, v, mask));
      },
    },
    {
      name: `${name}, gradients`,
      // dV, dP, dQ and dK; the fused form computes the scores again besides.
      flops: 4 * product,
      bytes: 32 * floats,
      prepare: (gpu) => {
        const leaves = [1, 2, 3].map((seed) => new Tensor(randomArray(gpu, shape, seed), { requiresGrad: true }));
        const [q, k, v] = leaves as [Tensor, Tensor, Tensor];
        const y = attention(q, k, v, new Tensor(paddingMask(gpu, batch, length, (3 * length) / 4)));
        const dy = randomArray(gpu, shape, 4);
        return () => backwardAndDrop(leaves, [y], [dy]);
      },
    },
  ];
}

export const cases = ({ batch }: Scale): BenchCase[] => [...layer(batch, 64), ...layer(batch, 128)];
