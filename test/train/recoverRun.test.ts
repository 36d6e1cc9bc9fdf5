import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openDataset } from '../../src/data/open.node.ts';
import { createGpu } from '../../src/gpu/create.node.ts';
import { readMetrics } from '../../src/train/metrics.node.ts';
import { type RecoveringEvents, trainRunRecovering } from '../../src/train/recoverRun.node.ts';
import { newRun } from '../../src/train/runFolder.node.ts';
import { temporaryFolder, tinyConfig } from '../support/tinyRun.ts';

/** Trains in a folder of its own on a device of its own, which `losesAt` takes away when the record of a step is there. */
async function train(losesAt: (step: number, times: number) => boolean, events: RecoveringEvents = {}) {
  const config = tinyConfig({ steps: 8, checkpointEvery: 3, validateEvery: 4 });
  const folder = join(temporaryFolder(), 'run');
  const dataset = await openDataset(config.data);
  // Of any device: the one in use is known by the adapter that gave it.
  const devices: GPUDevice[] = [];
  const gpu = await createGpu();
  const request = GPUAdapter.prototype.requestDevice;
  devices.push(gpu.device);
  GPUAdapter.prototype.requestDevice = async function (descriptor) {
    const device = await request.call(this, descriptor);
    devices.push(device);
    return device;
  };
  let times = 0;
  const onRecord: RecoveringEvents['onRecord'] = ({ kind, step }) => {
    if (kind !== 'train' || !losesAt(step, times)) return;
    times += 1;
    devices.at(-1)?.destroy();
  };
  try {
    const { trainer } = await trainRunRecovering(gpu, newRun(folder, config, dataset), dataset, {
      ...events,
      onRecord,
    });
    using _used = trainer.gpu;
    trainer.dispose();
    return { folder, gpu, used: trainer.gpu };
  } finally {
    GPUAdapter.prototype.requestDevice = request;
  }
}

const bytes = (folder: string, file: string): Buffer => readFileSync(join(folder, file));

it('goes on from the last checkpoint when the device is lost, and ends in the same bits', {
  timeout: 300_000,
}, async () => {
  const whole = await train(() => false);
  expect(whole.used).toBe(whole.gpu);
  const told: string[] = [];
  const starts: number[] = [];
  const lost = await train((step, times) => step === (times === 0 ? 2 : 5) && times < 2, {
    onRecover: (sentence) => told.push(sentence),
    onStart: ({ firstStep }) => starts.push(firstStep),
  });
  expect(lost.used).not.toBe(lost.gpu);
  expect(starts).toEqual([0, 0, 3]);
  expect(told).toHaveLength(2);
  expect(told[0]).toMatch(/^The GPU device was lost \(destroyed\).* Training goes on from its last checkpoint on /);
  for (const file of ['checkpoint.safetensors', 'model.safetensors']) {
    expect(bytes(lost.folder, file).equals(bytes(whole.folder, file)), file).toBe(true);
  }
  const steps = readMetrics(lost.folder).filter(({ kind }) => kind === 'train');
  expect(steps.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
});

it('gives up a device that is lost again before the next checkpoint', { timeout: 300_000 }, async () => {
  const told: string[] = [];
  const losing = train((step) => step === 2, { onRecover: (sentence) => told.push(sentence) });
  await expect(losing).rejects.toThrow(/^The GPU device was lost/);
  expect(told).toHaveLength(1);
});
