import { Presets, SingleBar } from 'cli-progress';
import { formatDuration, formatFileSize } from './common.ts';

/** One bar over the bytes of a long transfer. */
export interface ByteProgress {
  /** So many bytes are there of so many; the total may be unknown. */
  update(done: number, total: number | undefined): void;
  stop(): void;
}

/** Shows a bar on a terminal, and a line now and then where stderr is a file. */
export function byteProgress(what: string): ByteProgress {
  const isTerminal = process.stderr.isTTY === true;
  const bar = new SingleBar(
    { format: `${what} {bar} {percentage} % | {size} | {left} left`, hideCursor: true, clearOnComplete: true },
    Presets.shades_classic,
  );
  const begin = performance.now();
  let first: number | undefined;
  let shown = false;
  let nextLine = 15_000;
  return {
    update(done, total) {
      // What was there before says nothing about the speed.
      first ??= done;
      const elapsed = performance.now() - begin;
      const rate = (done - first) / elapsed;
      const left = total !== undefined && rate > 0 ? formatDuration((total - done) / rate) : '?';
      const size = `${formatFileSize(done)} of ${total === undefined ? '?' : formatFileSize(total)}`;
      if (isTerminal) {
        if (!shown) bar.start(total ?? Math.max(1, done), done, { size, left });
        shown = true;
        bar.setTotal(total ?? Math.max(1, done));
        bar.update(done, { size, left });
      } else if (elapsed >= nextLine) {
        process.stderr.write(`${what}: ${size}, ${left} left\n`);
        nextLine = elapsed + 15_000;
      }
    },
    stop() {
      bar.stop();
    },
  };
}
