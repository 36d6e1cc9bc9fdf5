import { SingleBar } from 'cli-progress';
import type { Gpu } from '../gpu/gpu.ts';
import type { Tuning } from '../kernels/tuning/open.ts';
import type { TuningRequest } from '../kernels/tuning/plans.ts';
import { type TunedProduct, type TuneProgress, tune } from '../kernels/tuning/tune.ts';
import { formatDuration } from './common.ts';

/** A bar on a terminal, and a line now and then where the output is a file. */
function progressDisplay(print: (text: string) => void) {
  const isTerminal = process.stderr.isTTY;
  const bar = new SingleBar({ format: 'Tuning {value}/{total} | {product} | {left} left', hideCursor: true });
  let isStarted = false;
  let nextLine = 0;
  return {
    show({ done, total, request, millisecondsLeft }: TuneProgress): void {
      const left = millisecondsLeft === undefined ? '?' : formatDuration(millisecondsLeft);
      if (isTerminal) {
        if (!isStarted) bar.start(total, 0, { product: '', left });
        isStarted = true;
        bar.update(done, { product: request.key, left });
      } else if (performance.now() >= nextLine) {
        print(`Tuning product ${done + 1} of ${total}: ${request.key}, ${left} left\n`);
        nextLine = performance.now() + 15_000;
      }
    },
    stop: (): void => bar.stop(),
  };
}

export interface TuneProductsOptions {
  /** Measure those again that are known. */
  readonly again?: boolean;
  readonly signal: AbortSignal;
  readonly print: (text: string) => void;
}

/** Measures plans for products and keeps each at once, so that Ctrl-C loses at most the one under way. */
export async function tuneProducts(
  gpu: Gpu,
  tuning: Tuning,
  requests: readonly TuningRequest[],
  { again = false, signal, print }: TuneProductsOptions,
): Promise<TunedProduct[]> {
  const display = progressDisplay(print);
  try {
    return await tune(gpu, {
      requests,
      again,
      signal,
      onProgress: (progress) => display.show(progress),
      onProduct: () => tuning.save(),
    });
  } finally {
    display.stop();
  }
}
