import { describe, expect, it } from 'vitest';
import { memoryLines } from '../../src/cli/memoryPlan.ts';
import { commonCard } from '../../src/gpu/standIn.ts';
import { planStep } from '../../src/train/plan.ts';
import { tinyConfig } from '../support/tinyRun.ts';

const config = tinyConfig({ batchSize: 16, model: { text: { vocabulary: 100 } } });
const given = (bytes: number) => ({ bytes, name: 'the memory given', binding: true });

describe('the memory that a training needs', () => {
  it('is printed before it starts, as the plan counts it', async () => {
    const { memory } = await planStep(config);
    const [line, ...more] = await memoryLines(commonCard, config, undefined);
    expect(line).toContain(`Memory: ${(memory.allocated / 2 ** 20).toFixed(1)} MiB in a step`);
    expect(line).toContain('the whole batch at once, checkpointing none');
    expect(more).toEqual([]);
    expect(await memoryLines(commonCard, config, given(memory.allocated))).toEqual([line]);
  });

  it('comes with flags that fit where it does not', async () => {
    const { allocated } = (await planStep(config)).memory;
    const budget = Math.floor(allocated * 0.7);
    const refusal = memoryLines(commonCard, config, given(budget)).then(
      () => '',
      (error: Error) => error.message,
    );
    const message = await refusal;
    expect(message).toMatch(/more than the memory given\. [\d.]+ MiB would do: --batch 16 --chunk \d+ --checkpointing/);
    const [, chunk, checkpointing] = /--chunk (\d+) --checkpointing (\w+)/.exec(message)!;
    const advised = await planStep({
      ...config,
      chunkSize: Number(chunk),
      checkpointing: checkpointing as 'none' | 'blocks',
    });
    expect(advised.memory.allocated).toBeLessThanOrEqual(budget);
  });

  it('is a warning only where the limit is the size of main memory', async () => {
    const lines = await memoryLines(commonCard, config, { bytes: 1000, name: 'the 1000 bytes here', binding: false });
    expect(lines[1]).toMatch(/^That is more than the 1000 bytes here\. No --chunk, --checkpointing, --batch/);
  });

  it('says what to change where a buffer is larger than the device offers', async () => {
    const small = 2 ** 17;
    const device = {
      ...commonCard,
      limits: { ...commonCard.limits, maxBufferSize: small, maxStorageBufferBindingSize: small },
    };
    await expect(memoryLines(device, config, undefined)).rejects.toThrow(
      /does not run on the adapter: .* would do: --batch/,
    );
  });
});
