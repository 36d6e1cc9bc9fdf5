import type { AdapterSummary } from '../../gpu/adapter.ts';
import { gemmCores } from '../gemm.ts';
import * as wgsl from '../shaders.gen.ts';
import type { TunedPlan } from './plans.ts';

/** Plans by product key, as they are kept between processes. */
export type PlanTable = Readonly<Record<string, TunedPlan>>;

/** What measurements hold for: another driver, runtime or kernel may have another order. */
export interface TuningTarget {
  readonly adapter: string;
  /** What runs WebGPU: `webgpu 0.6.2` in Node, the user agent in browsers. */
  readonly runtime: string;
  /** Changes with the text of the kernels. */
  readonly kernels: string;
}

/** Tables as they are stored, each with what it holds for. */
export interface StoredTable {
  readonly target: TuningTarget;
  readonly plans: PlanTable;
}

/** Where tables are kept between processes, by name. Nothing is expected of what is read: `parseTable` has to check it. */
export interface TableStore {
  /** For messages, e.g. the path of the folder. */
  readonly place: string;
  /** Undefined where there is none. @throws Error if what is there cannot be read */
  readonly read: (name: string) => Promise<unknown>;
  /** Replaces the table of this name. */
  readonly write: (name: string, table: StoredTable) => Promise<void>;
}

/** FNV-1a. */
export function fingerprint(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}

const kernelTexts = [
  wgsl.conv2dForward,
  wgsl.conv2dInputGrad,
  wgsl.conv2dWeightGrad,
  wgsl.libGemmMatrix,
  wgsl.libGemmScalar,
  wgsl.libGemmSubgroup,
  wgsl.libGemmTiled,
  wgsl.libGemmVec4,
  wgsl.matmul,
];
const kernelFingerprint = fingerprint(kernelTexts.join('\n'));

export function targetOf({ kind, vendor, architecture, description }: AdapterSummary, runtime: string): TuningTarget {
  return { adapter: [vendor, architecture, description, kind].join(' / '), runtime, kernels: kernelFingerprint };
}

/** Name of the table of a target in a store. */
export function tableName(target: TuningTarget): string {
  const readable = target.adapter.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  return `${readable.slice(0, 40)}-${fingerprint(JSON.stringify(target))}`;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const coreNames = new Set<unknown>(['default', ...gemmCores]);

function isTunedPlan(value: unknown): value is TunedPlan {
  if (!isObject(value)) return false;
  const { core, splits, gain } = value;
  const isSplit = typeof splits === 'number' && Number.isInteger(splits) && splits >= 1;
  return coreNames.has(core) && isSplit && typeof gain === 'number' && gain > 0;
}

/** Checks a stored table. @throws Error with a sentence that says what is wrong with it */
export function parseTable(value: unknown, target: TuningTarget): PlanTable {
  if (!isObject(value) || !isObject(value.target) || !isObject(value.plans)) {
    throw new Error('it is not a table of tuned plans');
  }
  for (const [field, expected] of Object.entries(target)) {
    const found = value.target[field];
    if (found !== expected)
      throw new Error(`its ${field} is ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`);
  }
  const plans: Record<string, TunedPlan> = {};
  for (const [key, plan] of Object.entries(value.plans)) {
    if (!isTunedPlan(plan)) throw new Error(`its plan of ${key} is ${JSON.stringify(plan)}`);
    plans[key] = plan;
  }
  return plans;
}
