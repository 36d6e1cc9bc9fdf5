import { GpuError } from '../../gpu/errors.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import type { Program } from '../../gpu/pipelines.ts';
import { deviceLike, standInGpu } from '../../gpu/standIn.ts';
import type { GemmPlan } from '../gemm.ts';
import { NDArray } from '../ndarray.ts';
import { candidatePlans } from './candidates.ts';
import { compete } from './contest.ts';
import { type TunedPlan, type TuningRequest, tunedPlans } from './plans.ts';
import { type Repetition, randomOperand } from './repeat.ts';

/** What was measured for the products of a key. */
export interface TunedProduct {
  readonly request: TuningRequest;
  readonly usual: GemmPlan;
  readonly best: GemmPlan;
  /** Milliseconds of one product with either plan. */
  readonly usualTime: number;
  readonly bestTime: number;
  readonly gain: number;
  readonly candidates: number;
  /** Plans with a wrong result, or that the device refused. */
  readonly refused: readonly GemmPlan[];
}

/** What `tune` is at. */
export interface TuneProgress {
  readonly done: number;
  readonly total: number;
  readonly request: TuningRequest;
  /** Undefined until the first product is done. */
  readonly millisecondsLeft: number | undefined;
}

/** How `tune` measures, and whom it tells. */
export interface TuneOptions {
  /** Products to tune besides those that operations have asked for. */
  readonly requests?: Iterable<TuningRequest>;
  /** Measure products again whose plan is known. */
  readonly again?: boolean;
  /** Called before each product. */
  readonly onProgress?: (progress: TuneProgress) => void;
  /** Called with the result for each product; waited for. */
  readonly onProduct?: (product: TunedProduct) => void | Promise<void>;
  /** Ends the work after the measurement under way; what was found is kept. */
  readonly signal?: AbortSignal | undefined;
}

/** Results are compared on random inputs; a missing term among 8,192 would be a hundred times the tolerance of f32. */
const tolerances = { f32: 1e-4, f16: 1e-2 };
/** Browsers round the time, software adapters share their cores. */
const leastTimes = { hardware: 4, software: 12 };

/** The programs that a product needs with a plan, found without running it. */
function programsOf(gpu: Gpu, { repeat }: TuningRequest, plans: readonly GemmPlan[]): Map<GemmPlan, Program[]> {
  using standIn = standInGpu(deviceLike(gpu));
  const programs = new Map<GemmPlan, Program[]>();
  standIn.scope(() => {
    const { run } = repeat(standIn, (shape, dtype) => NDArray.empty(standIn, shape, dtype));
    for (const plan of plans) {
      const used: Program[] = [];
      const stop = standIn.onDispatch((program) => used.push(program));
      tunedPlans(standIn).force(plan, () => standIn.scope(() => void run()));
      stop();
      programs.set(plan, used);
    }
  });
  return programs;
}

/** Compiles what the plans need side by side, which is most of the work. @returns the plans that compiled */
async function compilePlans(gpu: Gpu, request: TuningRequest, plans: readonly GemmPlan[]): Promise<GemmPlan[]> {
  const programs = programsOf(gpu, request, plans);
  const isBuilt = new Map<Program, boolean>();
  await Promise.all(
    [...new Set([...programs.values()].flat())].map(async (program) => {
      await gpu.pipelines.compile([program]).then(
        () => isBuilt.set(program, true),
        () => isBuilt.set(program, false),
      );
    }),
  );
  return plans.filter((plan) => programs.get(plan)?.every((program) => isBuilt.get(program)));
}

async function tuneProduct(gpu: Gpu, request: TuningRequest, signal?: AbortSignal): Promise<TunedProduct> {
  const plans = tunedPlans(gpu);
  const candidates = candidatePlans(gpu, request.product);
  const built = await compilePlans(gpu, request, candidates);
  const [usual] = candidates;
  if (!usual || built[0] !== usual) throw new GpuError(`The usual plan of ${request.key} does not compile.`);
  const { run, reset, operands }: Repetition = gpu.scope(() => request.repeat(gpu, randomOperand(gpu)));
  const record = (plan: GemmPlan): NDArray => plans.force(plan, run);
  const isOperand = (array: NDArray): boolean => operands.includes(array);
  try {
    const outcome = await compete({
      all: built,
      result: async (plan) => {
        const result = gpu.scope(() => {
          reset?.();
          return record(plan);
        });
        const values = await result.read().finally(() => isOperand(result) || result.dispose());
        return values;
      },
      time: async (plan, count) => {
        await gpu.finish();
        const begin = performance.now();
        for (let i = 0; i < count; i++) gpu.scope(() => void record(plan));
        await gpu.finish();
        return performance.now() - begin;
      },
      tolerance: request.product.dtypes.includes('f16') ? tolerances.f16 : tolerances.f32,
      leastTime: leastTimes[gpu.adapter.kind],
      signal,
    });
    const { best, gain, firstTime, bestTime, refused } = outcome;
    const failed = candidates.filter((plan) => !built.includes(plan));
    return {
      request,
      usual,
      best,
      gain,
      usualTime: firstTime,
      bestTime,
      candidates: candidates.length,
      refused: [...failed, ...refused],
    };
  } finally {
    for (const operand of operands) operand.dispose();
  }
}

function asTunedPlan({ usual, best, gain }: TunedProduct): TunedPlan {
  if (best === usual) return { core: 'default', splits: usual.splits, gain: 1 };
  return { core: best.core, splits: best.splits, gain: Math.round(1000 * gain) / 1000 };
}

/**
 * Measures plans for the products that operations of this device have asked for (mode `on`), and for `requests`. From
 * then on operations take the fastest; those captured before keep theirs.
 * @returns what was measured, in order; fewer than asked for once `signal` is aborted
 */
export async function tune(gpu: Gpu, options: TuneOptions = {}): Promise<TunedProduct[]> {
  const { signal, again = false, onProgress, onProduct } = options;
  const plans = tunedPlans(gpu);
  const wanted = new Map(plans.requests);
  for (const request of options.requests ?? []) wanted.set(request.key, request);
  const requests = [...wanted.values()].filter(({ key }) => again || !plans.has(key));
  const tuned: TunedProduct[] = [];
  const begin = performance.now();
  for (const [done, request] of requests.entries()) {
    if (signal?.aborted) break;
    const perProduct = done > 0 ? (performance.now() - begin) / done : undefined;
    const millisecondsLeft = perProduct === undefined ? undefined : perProduct * (requests.length - done);
    onProgress?.({ done, total: requests.length, request, millisecondsLeft });
    try {
      const product = await tuneProduct(gpu, request, signal);
      plans.add(request.key, asTunedPlan(product));
      tuned.push(product);
      await onProduct?.(product);
    } catch (error) {
      if (!signal?.aborted) throw error;
    }
  }
  return tuned;
}
