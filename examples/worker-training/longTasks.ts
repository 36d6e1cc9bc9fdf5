interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * Long tasks of a page: those that keep its main thread for 50 ms, three frames, or more, by the clock, so that other
 * programs can make a task long. One comes from the marked work if it would not have been long without it.
 */
export class LongTasks {
  private marked: Span[] = [];
  private fromMarked = 0;
  private others = 0;

  constructor() {
    new PerformanceObserver((list) => {
      for (const { startTime, duration } of list.getEntries())
        this.add({ start: startTime, end: startTime + duration });
    }).observe({ type: 'longtask', buffered: true });
  }

  /** Runs `body` as work that long tasks are put down to. */
  caused(body: () => void): void {
    const start = performance.now();
    body();
    this.marked.push({ start, end: performance.now() });
    if (this.marked.length > 1000) this.marked = this.marked.slice(500);
  }

  /** Long tasks since the page was opened. */
  report(): { readonly fromTraining: number; readonly others: number } {
    return { fromTraining: this.fromMarked, others: this.others };
  }

  private add(task: Span): void {
    const shared = this.marked
      .map(({ start, end }) => Math.min(end, task.end) - Math.max(start, task.start))
      .reduce((sum, time) => sum + Math.max(0, time), 0);
    if (task.end - task.start - shared < 50) this.fromMarked += 1;
    else this.others += 1;
  }
}
