import type { Page } from 'playwright-core';

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds of processor time of the thread. */
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/**
 * Milliseconds of processor time of the longest task on the page's own thread while `body` runs. Workers and the GPU process
 * are not in it, nor is the time for which other programs had the processor.
 */
export async function longestTask(page: Page, body: () => Promise<void>): Promise<number> {
  const browser = page.context().browser();
  if (!browser) throw new Error('Tasks are traced in a browser that the test launched.');
  await browser.startTracing(page, { categories: ['toplevel', '__metadata'] });
  await body();
  // A task that is not over yet is not in the trace.
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
  const placeOf = ({ pid, tid }: TraceEvent): string => `${pid} ${tid}`;
  const pages = new Set(
    traceEvents.filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain').map(placeOf),
  );
  const times = traceEvents
    .filter((event) => event.name === 'ThreadControllerImpl::RunTask' && pages.has(placeOf(event)))
    .map(({ tdur = 0 }) => tdur / 1000);
  if (times.length === 0) throw new Error('The trace has no task of the page.');
  return times.reduce((most, time) => Math.max(most, time), 0);
}
