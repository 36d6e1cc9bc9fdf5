import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '../io/atomic.node.ts';
import { lineChartSvg } from '../io/charts.node.ts';

/** One line of `metrics.jsonl`. Steps count from 1. */
export interface MetricsRecord {
  readonly kind: 'train' | 'validation';
  readonly step: number;
  readonly epoch: number;
  readonly total: number;
  readonly accuracy: number;
  readonly learningRate?: number;
  readonly gradNorm?: number;
  readonly imagesPerSecond?: number;
  /** Share of the step's time in which the GPU waited for the batch, 0 to 1. */
  readonly dataWait?: number;
  readonly [part: string]: number | string | undefined;
}

const fileName = 'metrics.jsonl';

/** The records of a run; a last line that a crash cut short is left out. */
export function readMetrics(folder: string): MetricsRecord[] {
  const path = join(folder, fileName);
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as MetricsRecord];
      } catch {
        return [];
      }
    });
}

/** Keeps the log of a run and draws its curves. */
export class MetricsLog {
  private readonly folder: string;
  private readonly records: MetricsRecord[];

  private constructor(folder: string, records: MetricsRecord[]) {
    this.folder = folder;
    this.records = records;
  }

  /** Opens the log for a run that has done `step` steps: later records, of steps that will be repeated, are dropped. */
  static async open(folder: string, step: number): Promise<MetricsLog> {
    const kept = readMetrics(folder).filter((record) => record.step <= step);
    await writeFileAtomic(join(folder, fileName), kept.map((record) => `${JSON.stringify(record)}\n`).join(''));
    return new MetricsLog(folder, kept);
  }

  add(record: MetricsRecord): void {
    this.records.push(record);
    appendFileSync(join(this.folder, fileName), `${JSON.stringify(record)}\n`);
  }

  /** Writes `loss.svg` and `accuracy.svg`. */
  async draw(): Promise<void> {
    if (this.records.length === 0) return;
    const curve = (kind: MetricsRecord['kind'], field: 'total' | 'accuracy') => {
      const records = this.records.filter((record) => record.kind === kind);
      return { name: kind, x: records.map(({ step }) => step), y: records.map((record) => record[field]) };
    };
    for (const [field, title, yLabel] of [
      ['total', 'Loss', 'loss'],
      ['accuracy', 'Image finds its own report in the batch', 'share of images'],
    ] as const) {
      const series = [curve('train', field), curve('validation', field)];
      const svg = lineChartSvg({ title, xLabel: 'step', yLabel, series });
      await writeFileAtomic(join(this.folder, `${field === 'total' ? 'loss' : field}.svg`), svg);
    }
  }
}
