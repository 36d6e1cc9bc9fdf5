import { Presets, SingleBar } from 'cli-progress';
import { formatDuration } from './common.ts';

/** Shows a bar over images on a terminal, and a line now and then where stderr is a file. */
export function localizingDisplay(total: number): { update(done: number): void; stop(): void } {
  const isTerminal = process.stderr.isTTY === true;
  const bar = new SingleBar(
    { format: 'Localizing {bar} {value}/{total} images | {left} left', hideCursor: true, clearOnComplete: true },
    Presets.shades_classic,
  );
  const begin = performance.now();
  let nextLine = 15_000;
  if (isTerminal) bar.start(total, 0, { left: '?' });
  return {
    update(done) {
      const elapsed = performance.now() - begin;
      const left = formatDuration((elapsed / done) * (total - done));
      if (isTerminal) bar.update(done, { left });
      else if (elapsed >= nextLine) {
        process.stderr.write(`Localizing: ${done}/${total} images, ${left} left\n`);
        nextLine = elapsed + 15_000;
      }
    },
    stop: () => bar.stop(),
  };
}
