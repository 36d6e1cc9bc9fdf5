import { useSignal } from '@preact/signals';
import { percent, short } from '../../../bench/report/text.ts';
import { saveJsonText } from '../files.ts';
import { inTurn } from '../session.ts';
import { announcement, cards, opened, problem } from '../state.ts';
import type { Trace } from '../worker/trace.ts';
import { engine } from '../workers.ts';
import { NumberTable } from './NumberTable.tsx';

/** Where the GPU time of one question goes, by kernel. */
export function TraceSection({ hasTimestamps }: { readonly hasTimestamps: boolean }) {
  const trace = useSignal<Trace | undefined>(undefined);
  const recording = useSignal(false);

  const record = async (): Promise<void> => {
    const [image, phrase] = [opened.value, cards.value[0]?.text.value.trim()];
    if (!image || !phrase || recording.value) return;
    recording.value = true;
    problem.value = '';
    try {
      const found = await inTurn(() => engine.trace(image.image, phrase));
      trace.value = found;
      announcement.value = `Recorded a trace of ${found.dispatches} kernels; a table shows their time.`;
    } catch (error) {
      problem.value = `No trace was recorded: ${error instanceof Error ? error.message : String(error)}`;
    }
    recording.value = false;
  };

  const found = trace.value;
  return (
    <section aria-labelledby="trace-heading">
      <h3 id="trace-heading">Trace</h3>
      {hasTimestamps ? (
        <p>
          <button type="button" aria-busy={recording.value} onClick={() => void record()}>
            {recording.value ? 'Recording…' : 'Record a trace'}
          </button>{' '}
          {found && (
            <button type="button" onClick={() => saveJsonText(found.json, 'groundray-trace.json')}>
              Save the trace
            </button>
          )}
        </p>
      ) : (
        <p>This device has no timestamp queries, so the time of its kernels cannot be measured.</p>
      )}
      {found && (
        <NumberTable
          label="GPU time by kernel"
          caption={
            <>
              GPU time of “{found.phrase}” in the image, which is encoded too: {short(found.ms)} ms in{' '}
              {found.dispatches} dispatches.
              {found.tickUs >= 1 && ` The browser rounds times to ${short(found.tickUs)} µs.`} The saved file opens in
              ui.perfetto.dev.
            </>
          }
          columns={['Kernel', 'Dispatches', 'ms', 'Share', 'GFLOP/s', 'GB/s']}
          rows={found.kernels.map(({ name, count, ms, share, gflops, gigabytesPerSecond }) => ({
            name,
            cells: [
              String(count),
              short(ms),
              percent(share),
              gflops > 0 ? short(gflops) : '',
              gigabytesPerSecond > 0 ? short(gigabytesPerSecond) : '',
            ],
          }))}
        />
      )}
    </section>
  );
}
