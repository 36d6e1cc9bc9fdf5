import type { Gpu } from '../../gpu/gpu.ts';
import { type GemmCore, type GemmPlan, planGemm, splitDepthInto, supportsCore } from '../gemm.ts';
import { type GemmProduct, hasHalfOperand, productKey } from './product.ts';
import type { Repeat } from './repeat.ts';

/** `off`: rules only. `cached`: plans that are known. `on`: also note products without one, for `tune`. */
export type TuneMode = 'off' | 'cached' | 'on';
export const tuneModes = ['off', 'cached', 'on'] as const satisfies readonly TuneMode[];

/** What was found for the products of a key. */
export interface TunedPlan {
  /** `default` where nothing beats the rules of `planGemm`. */
  readonly core: GemmCore | 'default';
  readonly splits: number;
  /** Time by those rules over time of this plan, when it was measured. */
  readonly gain: number;
}

/** A product for which no plan is known, with a way to repeat it. */
export interface TuningRequest {
  readonly key: string;
  readonly product: GemmProduct;
  readonly repeat: Repeat;
}

/** Largest grid in z, and bytes of partial results that a plan may take on top of what the rules would. */
const maxSlices = 65_535;
const maxPartialBytes = 2 ** 28;

/** Whether the device can run a plan for a product, and in reasonable memory. */
export function canRun(gpu: Gpu, { core, splits }: GemmPlan, product: GemmProduct): boolean {
  const { rows, cols, batch } = product;
  if (core.startsWith('matrix') && !hasHalfOperand(product)) return false;
  const partialBytes = splits > 1 ? 4 * rows * cols * batch * splits : 0;
  const { maxStorageBufferBindingSize, maxBufferSize } = gpu.device.limits;
  const room = Math.min(maxPartialBytes, maxStorageBufferBindingSize, maxBufferSize);
  return supportsCore(gpu, core) && batch * splits <= maxSlices && partialBytes <= room;
}

/** The tuned plans of a device, in use by its operations. */
export class TunedPlans {
  mode: TuneMode = 'off';
  /** Products that were asked for in vain, by key. */
  readonly requests = new Map<string, TuningRequest>();
  private readonly plans = new Map<string, TunedPlan>();
  /** What captured steps were recorded with: it stays for as long as this object. */
  private readonly fixed = new Map<string, TunedPlan | undefined>();
  private forced: GemmPlan | undefined;

  /** Every plan, by key. */
  get known(): ReadonlyMap<string, TunedPlan> {
    return this.plans;
  }

  has(key: string): boolean {
    return this.plans.has(key);
  }

  /** Keeps a plan. Products that were captured without it go on without it: one plan per key and process. */
  add(key: string, plan: TunedPlan): void {
    this.plans.set(key, plan);
    this.requests.delete(key);
  }

  /** Forgets every plan, and keeps these. */
  replaceAll(table: Readonly<Record<string, TunedPlan>>): void {
    this.plans.clear();
    for (const [key, plan] of Object.entries(table)) this.add(key, plan);
  }

  /** All products that `body` records take `plan`. */
  force<T>(plan: GemmPlan, body: () => T): T {
    const before = this.forced;
    this.forced = plan;
    try {
      return body();
    } finally {
      this.forced = before;
    }
  }

  plan(gpu: Gpu, product: GemmProduct, repeat: () => Repeat): GemmPlan {
    const { rows, cols, depth, batch } = product;
    if (this.forced) return splitDepthInto(this.forced.core, this.forced.splits, depth);
    const usual = planGemm(gpu, rows, cols, depth, batch, hasHalfOperand(product));
    if (this.mode === 'off') return usual;
    const key = productKey(product);
    const tuned = this.fixed.has(key) ? this.fixed.get(key) : this.plans.get(key);
    if (gpu.isCapturing) this.fixed.set(key, tuned);
    if (!tuned && this.mode === 'on' && !this.plans.has(key) && !this.requests.has(key)) {
      this.requests.set(key, { key, product, repeat: repeat() });
    }
    if (!tuned || tuned.core === 'default') return usual;
    const plan = splitDepthInto(tuned.core, tuned.splits, depth);
    return canRun(gpu, plan, product) ? plan : usual;
  }
}

const plansOfDevice = new WeakMap<Gpu, TunedPlans>();

/** The tuned plans of a device; none and `off` until `openTuning` changes that. */
export function tunedPlans(gpu: Gpu): TunedPlans {
  const known = plansOfDevice.get(gpu);
  if (known) return known;
  const made = new TunedPlans();
  plansOfDevice.set(gpu, made);
  return made;
}

/** Lets a device use the plans of another one on the same adapter, what is fixed by captures included. */
export function shareTunedPlans(from: Gpu, to: Gpu): void {
  plansOfDevice.set(to, tunedPlans(from));
}

/**
 * Core and split of a product: the tuned plan of its key, or that of the rules.
 * @param repeat asked for where a plan may be wanted later; must not hold on to arrays
 */
export function planProduct(gpu: Gpu, product: GemmProduct, repeat: () => Repeat): GemmPlan {
  return tunedPlans(gpu).plan(gpu, product, repeat);
}
