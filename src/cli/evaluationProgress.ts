import { Presets, SingleBar } from 'cli-progress';
import { formatDuration } from './common.ts';

/** One bar over everything that an evaluation localizes. */
export interface EvaluationDisplay {
  /** An image was done. `what` is in the works, e.g. "test images". */
  advance(what: string): void;
  stop(): void;
}

/** Shows a bar on a terminal, and a line now and then where stderr is a file; stdout is left to results. */
export function evaluationDisplay(total: number): EvaluationDisplay {
  const isTerminal = process.stderr.isTTY === true;
  const bar = new SingleBar(
    {
      format: 'Evaluating {bar} {value}/{total} images | {what} | {left} left',
      hideCursor: true,
      clearOnComplete: true,
    },
    Presets.shades_classic,
  );
  const begin = performance.now();
  let done = 0;
  let nextLine = 15_000;
  if (isTerminal) bar.start(total, 0, { what: 'compiling kernels', left: '?' });
  return {
    advance(what) {
      done += 1;
      const elapsed = performance.now() - begin;
      const left = formatDuration((elapsed / done) * (total - done));
      if (isTerminal) bar.update(done, { what, left });
      else if (elapsed >= nextLine) {
        process.stderr.write(`Evaluating: ${done}/${total} images (${what}), ${left} left\n`);
        nextLine = elapsed + 15_000;
      }
    },
    stop() {
      bar.stop();
    },
  };
}
