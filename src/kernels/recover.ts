import { isSameAdapter } from '../gpu/adapter.ts';
import { GpuError } from '../gpu/errors.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { shareTunedPlans } from './tuning/plans.ts';

const recoveries = new WeakMap<Gpu, Promise<Gpu>>();

async function reopen(lost: Gpu, open: () => Promise<Gpu>): Promise<Gpu> {
  const fresh = await open();
  if (isSameAdapter(lost.adapter, fresh.adapter)) {
    shareTunedPlans(lost, fresh);
    // A kernel that does not compile says so when it is used, as it did before.
    await fresh.pipelines.compile(lost.pipelines.programs).catch(() => undefined);
  }
  lost.dispose();
  return fresh;
}

/**
 * A new Gpu in the place of one that was lost, made with the same options. On the same adapter it goes on with the tuned
 * plans of the lost one, and its kernels are compiled before this resolves, so the same work gives the same bits. If the
 * adapter is gone, whatever fits the options takes its place; see `Gpu.adapter`.
 *
 * What lay on the device is gone with it: make arrays and captures anew, and arenas from the last `ParameterArena.state`
 * on the host. Listeners of `onDeviceLost` stay with the lost Gpu, which is disposed. Whoever asks again for the same Gpu
 * gets the same new one.
 * @throws GpuError if the device is not lost, if the application made it (`wrapDevice`), or if no adapter fits any more.
 */
export async function recover(lost: Gpu): Promise<Gpu> {
  const known = recoveries.get(lost);
  if (known) return known;
  const { reopen: open } = lost;
  if (!open) {
    throw new GpuError(
      'The device was made by the application, which alone can make another: pass that to wrapDevice(), and dispose this Gpu.',
    );
  }
  if (!lost.isLost) {
    throw new GpuError(
      lost.isDisposed
        ? 'This Gpu was disposed; make a new one with createGpu().'
        : 'The device is not lost, so there is nothing to recover; dispose this Gpu to make another.',
    );
  }
  const opening = reopen(lost, open);
  recoveries.set(lost, opening);
  opening.catch(() => recoveries.delete(lost));
  return opening;
}
