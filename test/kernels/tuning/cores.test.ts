import { expect, it } from 'vitest';
import { conv2d, conv2dInputGrad, conv2dWeightGrad } from '../../../src/kernels/conv2d.ts';
import { conv2dGeometry } from '../../../src/kernels/convGeometry.ts';
import { gemmCores, splitDepthInto, supportsCore } from '../../../src/kernels/gemm.ts';
import { matmul } from '../../../src/kernels/matmul.ts';
import type { NDArray } from '../../../src/kernels/ndarray.ts';
import { tunedPlans } from '../../../src/kernels/tuning/plans.ts';
import { type MakeOperand, randomOperand } from '../../../src/kernels/tuning/repeat.ts';
import { useGpu } from '../../support/gpu.ts';
import { expectClose } from '../../support/numeric.ts';

const gpu = useGpu();

/** A 3x3 convolution with stride 2 of an image whose sizes fit no tile. */
function convolution(make: MakeOperand) {
  const x = make([2, 11, 9, 5], 'f32', 1);
  const w = make([7, 3, 3, 5], 'f32', 2);
  const geometry = conv2dGeometry(x, w, { padding: 1, stride: 2 });
  const dy = make([2, geometry.outHeight, geometry.outWidth, 7], 'f32', 3);
  return { x, w, dy, geometry };
}

const operations: Readonly<Record<string, (make: MakeOperand) => NDArray>> = {
  matmul: (make) => matmul(make([37, 45], 'f32', 1), make([45, 67], 'f32', 2)),
  conv2d: (make) => {
    const { x, w, geometry } = convolution(make);
    return conv2d(x, w, make([7], 'f32', 4), geometry);
  },
  'conv2d, input gradient': (make) => {
    const { dy, w, geometry } = convolution(make);
    return conv2dInputGrad(dy, w, geometry);
  },
  'conv2d, weight gradient': (make) => {
    const { x, dy, geometry } = convolution(make);
    return conv2dWeightGrad(x, dy, geometry);
  },
};

// A core knows nothing of the operation and takes many seconds to compile on a CPU, so each is tried with one of the
// four; all pairs with GROUNDRAY_ALL_CORES=1.
const names = Object.keys(operations);
// Tensor cores take f16, which their own tests do.
for (const [i, core] of gemmCores.filter((core) => !core.startsWith('matrix')).entries()) {
  const tried = process.env.GROUNDRAY_ALL_CORES === '1' ? names : [names[i % names.length]!];
  for (const name of tried) {
    it(`${core}, whole and in parts, gives the usual result: ${name}`, { timeout: 300_000 }, async ({ skip }) => {
      skip(!supportsCore(gpu(), core), 'this device cannot run it');
      const record = (): NDArray => operations[name]!(randomOperand(gpu()));
      const expected = await gpu().scope(record).read();
      for (const splits of [1, 3]) {
        // The depth only serves to count splits: each product computes its own.
        const plan = splitDepthInto(core, splits, 1000);
        const result = gpu().scope(() => tunedPlans(gpu()).force(plan, record));
        expectClose(await result.read(), expected, 1e-5, 1e-5);
      }
      expect(expected.length).toBeGreaterThan(100);
    });
  }
}
