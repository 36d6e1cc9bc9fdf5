import { describe, expect, it } from 'vitest';
import { batchNorm } from '../../src/autograd/ops/batchNorm.ts';
import { conv2d } from '../../src/autograd/ops/conv2d.ts';
import { add } from '../../src/autograd/ops/elementwise.ts';
import { embedding } from '../../src/autograd/ops/indexing.ts';
import { layerNorm } from '../../src/autograd/ops/layerNorm.ts';
import { linear } from '../../src/autograd/ops/matmul.ts';
import { backward } from '../../src/autograd/tape.ts';
import { Tensor, tensor } from '../../src/autograd/tensor.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { fill } from '../../src/kernels/fill.ts';
import { NDArray } from '../../src/kernels/ndarray.ts';
import type { Shape } from '../../src/kernels/shape.ts';
import { numel } from '../../src/kernels/shape.ts';
import { useGpu } from '../support/gpu.ts';
import { expectClose, uniform } from '../support/numeric.ts';

interface TargetCase {
  readonly name: string;
  readonly shapes: readonly Shape[];
  readonly run: (gpu: Gpu, leaves: readonly Tensor[]) => Tensor;
}

const running = (gpu: Gpu, channels: number) => ({
  runningMean: fill(gpu, [channels], 0),
  runningVar: fill(gpu, [channels], 1),
});

/** Networks in which gradients of leaves and of results meet. */
const cases: readonly TargetCase[] = [
  {
    name: 'a residual block of convolutions',
    shapes: [[2, 6, 6, 8], [8, 1, 1, 8], [8, 3, 3, 8], [8], [8]],
    run: (gpu, [image, w1, w3, weight, bias]) => {
      const x = conv2d(image!, w1!);
      const inner = conv2d(conv2d(x, w1!), w3!, undefined, { padding: 1 });
      return batchNorm(inner, weight!, bias!, running(gpu, 8), { train: true, relu: true, residual: x });
    },
  },
  {
    name: 'a strided block with a projection',
    shapes: [
      [1, 7, 7, 3],
      [4, 3, 3, 3],
      [5, 3, 3, 4],
      [5, 1, 1, 4],
    ],
    run: (_, [image, stem, w3, w1]) => {
      const x = conv2d(image!, stem!, undefined, { padding: 1 });
      return add(conv2d(x, w3!, undefined, { stride: 2, padding: 1 }), conv2d(x, w1!, undefined, { stride: 2 }));
    },
  },
  {
    name: 'dense layers that share their input and a weight',
    shapes: [[3, 5, 12], [12, 12], [12, 12], [12], [12]],
    run: (_, [x, w1, w2, weight, bias]) => {
      const y = layerNorm(linear(x!, w1!, bias), weight!, bias!, 1e-5);
      return add(add(linear(y, w1!), linear(y, w2!, bias)), y);
    },
  },
  {
    name: 'a long inner dimension, which is split',
    shapes: [
      [2048, 8],
      [8, 8],
    ],
    run: (_, [x, w]) => add(linear(linear(x!, w!), w!), x!),
  },
  {
    name: 'a table that is used twice',
    shapes: [
      [9, 4],
      [4, 4],
    ],
    run: (gpu, [table, w]) => {
      const ids = new Tensor(NDArray.from(gpu, [0, 3, 3, 8], [4], 'i32'));
      return add(linear(embedding(table!, ids), w!), embedding(table!, ids));
    },
  },
];

/** Gradients after `passes` backward passes; with `preset` they go into arrays with something else in them, as those of an arena. */
async function gradients(gpu: Gpu, { shapes, run }: TargetCase, preset: boolean, passes: number) {
  const leaves = shapes.map((shape, i) => tensor(gpu, uniform(i + 1, numel(shape)), shape, { requiresGrad: true }));
  for (const leaf of preset ? leaves : []) {
    leaf.grad = fill(gpu, leaf.shape, 123);
    leaf.gradIsUnset = true;
  }
  for (let pass = 0; pass < passes; pass++) {
    const y = run(gpu, leaves);
    backward([y], [NDArray.from(gpu, uniform(50, y.size), y.shape)]);
  }
  return Promise.all(leaves.map(({ grad }) => grad!.read()));
}

const gpu = useGpu();

describe('gradients that are written where they belong', () => {
  for (const own of cases) {
    it(`are those that are added up afterwards, over several passes: ${own.name}`, async () => {
      const expected = await gradients(gpu(), own, false, 1);
      const once = await gradients(gpu(), own, true, 1);
      const thrice = await gradients(gpu(), own, true, 3);
      for (const [i, gradient] of expected.entries()) {
        expectClose(once[i]!, gradient, 1e-5, 2e-5);
        const tripled = gradient.map((value) => 3 * value);
        expectClose(thrice[i]!, tripled, 1e-5, 6e-5);
      }
    });
  }

  it('cost no dispatch to be added up', async () => {
    const [first] = cases;
    const names: string[] = [];
    const stop = gpu().onDispatch(({ name }) => names.push(name.split('/')[0]!));
    await gradients(gpu(), first!, true, 1);
    stop();
    expect(names).not.toContain('accumulate');
    // The one that is left joins the residual with the block: the upstream gradient is not the tape's to write to.
    expect(names.filter((name) => name === 'binary').length).toBeLessThanOrEqual(1);
  });
});
