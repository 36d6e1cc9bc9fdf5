import { Presets, SingleBar } from 'cli-progress';
import { formatDuration } from './common.ts';

/** Shows on a terminal how many descriptions of findings were encoded; `done` ends it. */
export function findingsDisplay(): {
  readonly advance: (done: number, total: number) => void;
  readonly done: () => void;
} {
  const bar = new SingleBar(
    { format: 'Encoding findings {bar} {value}/{total} | {left} left', hideCursor: true, clearOnComplete: true },
    Presets.shades_classic,
  );
  const begin = performance.now();
  return {
    advance(done, total) {
      if (process.stderr.isTTY !== true) return;
      if (!bar.isActive) bar.start(total, 0, { left: '?' });
      bar.update(done, { left: formatDuration(((performance.now() - begin) / done) * (total - done)) });
    },
    done: () => bar.stop(),
  };
}
