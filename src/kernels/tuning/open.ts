import type { Gpu } from '../../gpu/gpu.ts';
import { shippedTable } from '../tuned/index.ts';
import { type TunedPlans, type TuneMode, tunedPlans } from './plans.ts';
import {
  type PlanTable,
  parseTable,
  type StoredTable,
  type TableStore,
  type TuningTarget,
  tableName,
  targetOf,
} from './table.ts';

/** Where tuned plans come from and go to. */
export interface TuningOptions {
  readonly mode: TuneMode;
  /** What runs WebGPU, with its version: `webgpu 0.6.2`, or `navigator.userAgent`. */
  readonly runtime: string;
  /** Where measured plans are kept; nowhere if left out. */
  readonly store?: TableStore | undefined;
  /** Told in a sentence when a stored table cannot be used. */
  readonly warn?: (sentence: string) => void;
}

/** The tuned plans of a device, and how to keep them. */
export interface Tuning {
  readonly plans: TunedPlans;
  /** All plans, with what they hold for. */
  readonly table: () => StoredTable;
  /** Writes the plans to the store, if there is one. */
  readonly save: () => Promise<void>;
}

/** Plans of a store. One that is damaged or of another device counts as none, and is replaced by the next `save`. */
async function readStore(
  store: TableStore,
  target: TuningTarget,
  warn: (sentence: string) => void,
): Promise<PlanTable> {
  const name = tableName(target);
  try {
    const stored = await store.read(name);
    return stored === undefined ? {} : parseTable(stored, target);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    warn(`The tuned plans "${name}" in ${store.place} are not used: ${reason}. They are replaced by the next tuning.`);
    return {};
  }
}

/**
 * Makes the operations of a device use tuned plans: the shipped ones, and over these the stored ones. Call it before
 * anything is captured, as captured steps keep their plans.
 */
export async function openTuning(gpu: Gpu, { mode, runtime, store, warn }: TuningOptions): Promise<Tuning> {
  const plans = tunedPlans(gpu);
  const target = targetOf(gpu.adapter, runtime);
  const shipped = shippedTable(gpu.adapter);
  plans.mode = mode;
  if (mode !== 'off') {
    const stored = store ? await readStore(store, target, warn ?? (() => undefined)) : {};
    for (const table of [shipped, stored]) {
      for (const [key, plan] of Object.entries(table)) plans.add(key, plan);
    }
  }
  const table = (): StoredTable => ({
    target,
    plans: Object.fromEntries([...plans.known].sort(([a], [b]) => (a < b ? -1 : 1))),
  });
  const save = async (): Promise<void> => {
    if (!store) return;
    // Another process may have tuned other products meanwhile.
    const stored = await readStore(store, target, () => undefined);
    // What is shipped may be better in the next version; only what was measured here is kept.
    const measured = Object.entries(table().plans).filter(([key, plan]) => shipped[key] !== plan);
    await store.write(tableName(target), { target, plans: { ...stored, ...Object.fromEntries(measured) } });
  };
  return { plans, table, save };
}
