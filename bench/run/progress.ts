import { Presets, SingleBar } from 'cli-progress';
import { formatDuration } from '../../src/cli/common.ts';
import type { Progress } from '../measure/rounds.ts';

/** Where no terminal shows a bar, a line now and then. */
const lineEveryMs = 20_000;

/** Progress of one suite on stderr, so that stdout holds the results alone. */
export function progressDisplay(suite: string) {
  const isTerminal = process.stderr.isTTY;
  const bar = new SingleBar(
    { format: `${suite} {bar} {value}/{total} | {left} left | {name}`, hideCursor: true, clearOnComplete: true },
    Presets.shades_classic,
  );
  let started = false;
  let nextLine = performance.now() + lineEveryMs;
  return {
    update({ done, total, name, leftMs }: Progress): void {
      // Before the first round is over, what is left is a guess from few cases.
      const left = done > 0 ? formatDuration(leftMs) : '?';
      if (isTerminal) {
        if (!started) bar.start(total, 0, { left, name });
        started = true;
        bar.setTotal(total);
        bar.update(done, { left, name });
      } else if (performance.now() > nextLine) {
        nextLine = performance.now() + lineEveryMs;
        process.stderr.write(`${suite}: ${done} of ${total} measurements, ${left} left\n`);
      }
    },
    stop(): void {
      if (started) bar.stop();
    },
  };
}
