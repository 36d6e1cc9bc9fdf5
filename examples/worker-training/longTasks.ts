interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * Frames of a page, and its long tasks: those that keep the main thread for 50 ms, three frames, or more. One comes from
 * the marked work if it would not have been long without it.
 */
export class LongTasks {
  private frames: number[] = [];
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

  /** Calls `body` in every frame, and counts them. */
  everyFrame(body: () => void): void {
    const next = (now: number): void => {
      this.frames.push(now);
      body();
      requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
  }

  /** Frames per second since the last report, and long tasks since the page was opened. */
  report(): { readonly framesPerSecond: number; readonly fromTraining: number; readonly others: number } {
    const [first = 0, last = 0] = [this.frames[0], this.frames.at(-1)];
    const framesPerSecond = last > first ? (1000 * (this.frames.length - 1)) / (last - first) : 0;
    this.frames = this.frames.slice(-1);
    return { framesPerSecond, fromTraining: this.fromMarked, others: this.others };
  }

  private add(task: Span): void {
    const shared = this.marked
      .map(({ start, end }) => Math.min(end, task.end) - Math.max(start, task.start))
      .reduce((sum, time) => sum + Math.max(0, time), 0);
    if (task.end - task.start - shared < 50) this.fromMarked += 1;
    else this.others += 1;
  }
}
