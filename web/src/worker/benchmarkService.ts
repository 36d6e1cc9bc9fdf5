import type { Progress } from '../../../bench/measure/rounds.ts';
import { type Efficiency, efficiencyOf } from '../../../bench/report/kernelTable.ts';
import type { CaseResult } from '../../../bench/report/schema.ts';
import { timeOf } from '../../../bench/report/timeOf.ts';
import { type QuickResult, quickBenchmark } from '../../../bench/suites/quick.ts';
import type { AdapterSummary } from '../../../src/gpu/adapter.ts';
import { createGpu } from '../../../src/gpu/create.ts';
import { GpuError } from '../../../src/gpu/errors.ts';
import type { Gpu } from '../../../src/gpu/gpu.ts';

/** A case and what it reaches of the device's best. */
export interface RatedResult extends CaseResult, Efficiency {
  /** The median of the time that counts. */
  readonly ms: number;
}

/** What a benchmark found, and on which device. */
export interface BenchmarkReport extends QuickResult {
  readonly results: readonly RatedResult[];
  readonly adapter: AdapterSummary;
  readonly limits: Readonly<Record<string, number>>;
  readonly features: readonly string[];
}

/** `GPUSupportedLimits` has getters on its prototype, and nothing that could be cloned. */
function limitsOf(limits: GPUSupportedLimits): Record<string, number> {
  const named: Record<string, number> = {};
  for (const name in limits) {
    const value: unknown = Reflect.get(limits, name);
    if (typeof value === 'number') named[name] = value;
  }
  return named;
}

/** What the page asks of the worker that measures, on a device of its own. Calls must not overlap. */
export class BenchmarkService {
  private gpu: Gpu | undefined;
  private run: ReturnType<typeof quickBenchmark> | undefined;

  /** Answers when the worker is there. */
  load(): void {}

  /** Nothing is measured yet. @throws GpuError where there is no WebGPU. */
  async begin(): Promise<void> {
    this.end();
    this.gpu = await createGpu();
    this.run = quickBenchmark(this.gpu);
  }

  /** Makes the measurement that the answer before told of, and tells of the next one; the last answer is the report. */
  async next(): Promise<Progress | BenchmarkReport> {
    const { gpu, run } = this;
    if (!gpu || !run) throw new GpuError('The benchmark has not begun.');
    const { value } = await run.next();
    if (!('roofline' in value)) return value;
    const results = value.results.map((result) => ({
      ...result,
      ms: timeOf(result).median,
      ...efficiencyOf(result, value.roofline),
    }));
    const { adapter, device } = gpu;
    return { ...value, results, adapter, limits: limitsOf(device.limits), features: [...device.features].sort() };
  }

  /** Frees the device and all that is on it. */
  end(): void {
    this.gpu?.dispose();
    this.gpu = undefined;
    this.run = undefined;
  }
}
