import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Progress } from '../../../bench/measure/rounds.ts';
import { percent, short } from '../../../bench/report/text.ts';
import { saveJsonText } from '../files.ts';
import { inTurn } from '../session.ts';
import { announcement, problem } from '../state.ts';
import type { BenchmarkReport } from '../worker/benchmarkService.ts';
import { benchmark } from '../workers.ts';
import { NumberTable } from './NumberTable.tsx';

function saveReport(report: BenchmarkReport, date: string): void {
  const file = { format: 'groundray-page-bench', version: 1, date, userAgent: navigator.userAgent, ...report };
  saveJsonText(`${JSON.stringify(file, null, 2)}\n`, `groundray-bench-${date.slice(0, 10)}.json`);
}

/** What the device does in kernels and in a training step, beside what it can do at best. */
export function BenchmarkSection() {
  const progress = useSignal<Progress | undefined>(undefined);
  const running = useSignal(false);
  const result = useSignal<{ readonly report: BenchmarkReport; readonly date: string } | undefined>(undefined);
  const stop = useRef(false);
  useEffect(
    () => () => {
      stop.current = true;
    },
    [],
  );

  const run = async (): Promise<void> => {
    running.value = true;
    stop.current = false;
    problem.value = '';
    try {
      await benchmark.begin();
      let report: BenchmarkReport | undefined;
      while (!report && !stop.current) {
        const next = await inTurn<Progress | BenchmarkReport>(() => benchmark.next());
        if ('roofline' in next) report = next;
        else progress.value = next;
      }
      if (report) result.value = { report, date: new Date().toISOString() };
      announcement.value = report ? 'The benchmark is done; a table shows its results.' : 'The benchmark was stopped.';
    } catch (error) {
      problem.value = `The benchmark ended: ${error instanceof Error ? error.message : String(error)}`;
    }
    await benchmark.end();
    running.value = false;
    progress.value = undefined;
  };

  const { report, date } = result.value ?? {};
  return (
    <section aria-labelledby="benchmark-heading">
      <h3 id="benchmark-heading">Benchmark</h3>
      <p class="facts">
        Kernels and a training step on this device, beside what it can do at best: measured multiply-adds in registers
        and copies of large arrays. It takes half a minute on two processor cores.
      </p>
      <p>
        {running.value ? (
          <button
            type="button"
            onClick={() => {
              stop.current = true;
            }}
          >
            Stop the benchmark
          </button>
        ) : (
          <button type="button" onClick={() => void run()}>
            Run the benchmark
          </button>
        )}{' '}
        {report && date && !running.value && (
          <button type="button" onClick={() => saveReport(report, date)}>
            Save the results
          </button>
        )}
      </p>
      {running.value && (
        <p>
          <progress aria-label="Benchmark" value={progress.value?.done ?? 0} max={progress.value?.total ?? 1} />{' '}
          {progress.value?.name ?? 'starting'}
        </p>
      )}
      {report && (
        <NumberTable
          label="Results of the benchmark"
          caption={
            <>
              Medians of {report.roofline.copy.rounds} measurements. At best the device does{' '}
              {short(report.roofline.gflops)} GFLOP/s and copies {short(report.roofline.gigabytesPerSecond)} GB/s.
            </>
          }
          columns={['Case', 'ms', 'GFLOP/s', 'GB/s', 'Of the best', 'Bound by']}
          rows={report.results.map(({ name, ms, gflops, gigabytesPerSecond, share, bound }) => ({
            name,
            cells: [short(ms), short(gflops), short(gigabytesPerSecond), percent(share), bound],
          }))}
        />
      )}
      {report?.leftOut.map((sentence) => (
        <p key={sentence}>{sentence}</p>
      ))}
    </section>
  );
}
