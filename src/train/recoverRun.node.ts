import type { Dataset } from '../data/types.ts';
import { describeAdapter } from '../gpu/adapter.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { recover } from '../kernels/recover.ts';
import { type TrainEvents, type TrainResult, trainRun } from './run.node.ts';
import type { RunDescription } from './runFolder.node.ts';

/** What is told of a run whose device may be lost. */
export interface RecoveringEvents extends TrainEvents {
  /** Before training goes on from its last checkpoint: `onStart` follows again. */
  readonly onRecover?: (sentence: string) => void;
}

/**
 * As `trainRun`, but a device that is lost is replaced (see `recover`), and training goes on from the last checkpoint to the
 * same bits, if the adapter is the same. A device that is lost twice without a checkpoint in between is given up.
 * The caller disposes the returned trainer and then its `gpu`, which is another than the given one after a loss.
 */
export async function trainRunRecovering(
  gpu: Gpu,
  run: RunDescription,
  dataset: Dataset,
  events: RecoveringEvents = {},
  signal?: AbortSignal,
): Promise<TrainResult> {
  let used = gpu;
  let gotFurther = true;
  const onCheckpoint = (step: number): void => {
    gotFurther = true;
    events.onCheckpoint?.(step);
  };
  for (;;) {
    try {
      return await trainRun(used, run, dataset, { ...events, onCheckpoint }, signal);
    } catch (error) {
      if (!(used.isLost && used.reopen && gotFurther)) {
        used.dispose();
        throw error;
      }
      gotFurther = false;
      used = await recover(used);
      const reason = error instanceof Error ? error.message : String(error);
      events.onRecover?.(`${reason} Training goes on from its last checkpoint on ${describeAdapter(used.adapter)}.`);
    }
  }
}
