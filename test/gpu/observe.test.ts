import { expect, it } from 'vitest';
import { fill } from '../../src/kernels/fill.ts';
import { matmul } from '../../src/kernels/matmul.ts';
import { useGpu } from '../support/gpu.ts';

const gpu = useGpu();

it('shows every dispatch, eager and replayed, with the work it stands for', () => {
  const [a, b] = [fill(gpu(), [8, 16], 1), fill(gpu(), [16, 4], 1)];
  const seen: { readonly name: string; readonly flops: number }[] = [];
  const stop = gpu().onDispatch(({ name, cost }, params) => seen.push({ name, flops: cost(params).flops }));
  const product = (): void => void matmul(a, b);
  using captured = gpu().capture(product);
  captured.run();
  stop();
  gpu().scope(product);
  expect(seen.map(({ name }) => name.split('/')[0])).toEqual(['matmul', 'matmul']);
  expect(seen.map(({ flops }) => flops)).toEqual([2 * 8 * 16 * 4, 2 * 8 * 16 * 4]);
  a.dispose();
  b.dispose();
});
