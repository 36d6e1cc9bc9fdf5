export interface FrameSummary {
  readonly frames: number;
  readonly perSecond: number;
  /** Milliseconds from one frame to the next. */
  readonly median: number;
  readonly percentile95: number;
  readonly longest: number;
}

/** Longer gaps are counted as this long, but for the longest, which is kept as it is. */
const bins = 1000;

/** How long a page took from one frame to the next, apart for each thing that it was doing: counts for every millisecond. */
export class FrameIntervals {
  private readonly counts = new Map<string, Uint32Array>();
  private readonly longest = new Map<string, number>();
  private readonly total = new Map<string, number>();
  private last: number | undefined;

  constructor() {
    // A hidden page draws no frames at all.
    document.addEventListener('visibilitychange', () => {
      this.last = undefined;
    });
  }

  /** Counts a frame. @param now its time, as `requestAnimationFrame` gives it. */
  frame(now: number, doing: string): void {
    if (this.last !== undefined) {
      const gap = now - this.last;
      let counts = this.counts.get(doing);
      if (!counts) {
        counts = new Uint32Array(bins + 1);
        this.counts.set(doing, counts);
      }
      const bin = Math.min(bins, Math.round(gap));
      counts[bin] = (counts[bin] ?? 0) + 1;
      this.longest.set(doing, Math.max(gap, this.longest.get(doing) ?? 0));
      this.total.set(doing, gap + (this.total.get(doing) ?? 0));
    }
    this.last = now;
  }

  /** Undefined before the first interval. */
  summary(doing: string): FrameSummary | undefined {
    const counts = this.counts.get(doing);
    if (!counts) return undefined;
    const frames = counts.reduce((sum, count) => sum + count, 0);
    const quantile = (share: number): number => {
      let before = 0;
      return counts.findIndex((count) => {
        before += count;
        return before >= share * frames;
      });
    };
    const perSecond = (1000 * frames) / (this.total.get(doing) ?? 1);
    const longest = this.longest.get(doing) ?? 0;
    return { frames, perSecond, median: quantile(0.5), percentile95: quantile(0.95), longest };
  }
}
