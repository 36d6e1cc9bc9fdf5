import { describe, expect, it } from 'vitest';
import { matmul } from '../../../src/kernels/matmul.ts';
import type { NDArray } from '../../../src/kernels/ndarray.ts';
import { fileStore } from '../../../src/kernels/tuning/fileStore.node.ts';
import { openTuning } from '../../../src/kernels/tuning/open.ts';
import { randomOperand } from '../../../src/kernels/tuning/repeat.ts';
import { tune } from '../../../src/kernels/tuning/tune.ts';
import { useGpu } from '../../support/gpu.ts';
import { expectClose } from '../../support/numeric.ts';
import { temporaryFolder } from '../../support/tinyRun.ts';

const gpu = useGpu();

function multiply(): NDArray {
  const operand = randomOperand(gpu());
  return matmul(operand([32, 20], 'f32', 1), operand([20, 24], 'f32', 2));
}

describe('tune', () => {
  it('measures what operations asked for, keeps it and leaves nothing on the device', async () => {
    const store = fileStore(temporaryFolder());
    const { plans, save } = await openTuning(gpu(), { mode: 'on', runtime: 'a test', store });
    const expected = await gpu().scope(multiply).read();
    const key = 'matmul nn 32x24x24 vec4 f32';
    expect([...plans.requests.keys()]).toEqual([key]);
    const before = gpu().memoryReport().liveBytes;
    const progress: number[] = [];
    const tuned = await tune(gpu(), { onProgress: ({ total }) => progress.push(total), onProduct: save });
    expect(gpu().memoryReport().liveBytes).toBe(before);
    expect(progress).toEqual([1]);
    expect(tuned.map(({ request, refused }) => [request.key, refused])).toEqual([[key, []]]);
    expect(tuned[0]?.usualTime).toBeGreaterThan(0);
    expect(plans.requests.size).toBe(0);
    expectClose(await gpu().scope(multiply).read(), expected, 1e-5, 1e-5);
    plans.replaceAll({});
    await openTuning(gpu(), { mode: 'cached', runtime: 'a test', store });
    expect([...plans.known.keys()]).toEqual([key]);
    plans.mode = 'off';
  });

  it('stops between products once it is interrupted', async () => {
    const { plans } = await openTuning(gpu(), { mode: 'on', runtime: 'a test' });
    plans.replaceAll({});
    gpu().scope(multiply);
    expect(await tune(gpu(), { signal: AbortSignal.abort() })).toEqual([]);
    expect(plans.requests.size).toBe(1);
    plans.mode = 'off';
  });
});
