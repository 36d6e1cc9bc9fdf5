import { loadOptional } from '../io/optionalPackage.node.ts';
import { summarizeAdapter } from './adapter.ts';
import type { CreateGpuOptions } from './create.ts';
import { createGpuFrom } from './create.ts';
import { GpuError } from './errors.ts';
import type { Gpu } from './gpu.ts';
import { hasVulkanLoader, useSwiftShader } from './swiftshader.node.ts';

/** Which adapter `createGpu` takes in Node, and how Dawn treats it. */
export interface NodeGpuOptions extends CreateGpuOptions {
  /** `auto` takes hardware, then the system's software Vulkan, then SwiftShader. Default: `$GROUNDRAY_ADAPTER` or `auto`. */
  readonly adapter?: 'auto' | 'hardware' | 'software' | 'swiftshader';
  /** Dawn's robustness and validation checks stay on; training and benchmarks switch them off. Default true. */
  readonly checks?: boolean;
}

// Dawn's instance must stay reachable for as long as the process lives: once collected, the next poll crashes.
const instances: GPU[] = [];

/** Training and benchmarks trust their kernels. */
const uncheckedToggles = ['skip_validation', 'disable_robustness', 'disable_workgroup_init'];
/** Dawn keeps f16 and tensor cores of these cards from web pages. */
const nvidiaToggles = ['allow_unsafe_apis', 'vulkan_enable_f16_on_nvidia', 'use_vulkan_memory_model'];

/**
 * Dawn's toggles for a device of a vendor. Timestamps are rounded to 65 microseconds to keep web pages from timing
 * attacks, which is no concern of a Node process.
 */
export function dawnToggles(checks: boolean, vendor: string): string[] {
  const enabled = [...(checks ? [] : uncheckedToggles), ...(vendor === 'nvidia' ? nvidiaToggles : [])];
  const exact = 'disable-dawn-features=timestamp_quantization';
  return enabled.length > 0 ? [exact, `enable-dawn-features=${enabled.join()}`] : [exact];
}

type Dawn = typeof import('webgpu');

/** One instance per set of toggles; each is usable for many devices. */
function openInstance({ create }: Dawn, toggles: readonly string[]): GPU {
  const instance = create([...toggles]);
  instances.push(instance);
  return instance;
}

/**
 * Dawn polls for finished work by `setImmediate` without a pause. On a software adapter the kernels need that core,
 * so after a few quick polls the loop is slowed down to a timer's pace (1.5-2.9x wall clock).
 */
async function pacedWait<T>(promise: Promise<T>): Promise<T> {
  const original = globalThis.setImmediate;
  let polls = 0;
  const paced = ((callback: (...args: unknown[]) => void, ...args: unknown[]) =>
    polls++ < 50 ? original(callback, ...args) : setTimeout(callback, 1, ...args)) as unknown as typeof setImmediate;
  globalThis.setImmediate = Object.assign(paced, original);
  try {
    return await promise;
  } finally {
    if (globalThis.setImmediate === paced) globalThis.setImmediate = original;
  }
}

function adapterChoice(options: NodeGpuOptions): NonNullable<NodeGpuOptions['adapter']> {
  const wanted = options.adapter ?? process.env.GROUNDRAY_ADAPTER ?? 'auto';
  if (wanted === 'auto' || wanted === 'hardware' || wanted === 'software' || wanted === 'swiftshader') {
    return options.requireHardware ? 'hardware' : wanted;
  }
  throw new GpuError(`GROUNDRAY_ADAPTER is "${wanted}"; expected auto, hardware, software or swiftshader.`);
}

/** The system's own adapter; undefined where there is none or Dawn refuses it. */
async function systemAdapter(entry: GPU, forceFallback: boolean): Promise<GPUAdapter | null> {
  const preferred = await entry.requestAdapter({ powerPreference: 'high-performance' });
  if (!forceFallback || !preferred) return preferred;
  const { kind } = summarizeAdapter(preferred.info, preferred.features);
  return kind === 'software' ? preferred : entry.requestAdapter({ forceFallbackAdapter: true });
}

/**
 * Makes a Gpu in Node on Dawn. Without an adapter of the system, the SwiftShader of an npm package runs the kernels.
 * @throws MissingPackageError without the package webgpu, which is Dawn and an optional peer of this one; GpuError if no
 * adapter fits, or `requireHardware` is set and only a software adapter was found.
 */
export async function createGpu(options: NodeGpuOptions = {}): Promise<Gpu> {
  const choice = adapterChoice(options);
  const dawn = await loadOptional('webgpu', () => import('webgpu'), 'WebGPU in Node');
  Object.assign(globalThis, dawn.globals);
  const checks = options.checks ?? true;
  const toggles = dawnToggles(checks, '');
  if (choice === 'swiftshader' || (choice !== 'hardware' && !hasVulkanLoader())) await useSwiftShader();
  let entry = openInstance(dawn, toggles);
  let found = await systemAdapter(entry, choice === 'software');
  if (!found && choice !== 'hardware' && (await useSwiftShader())) {
    entry = openInstance(dawn, toggles);
    found = await entry.requestAdapter();
  }
  if (!found) {
    throw new GpuError(
      choice === 'hardware'
        ? 'A hardware GPU is required, but Vulkan, Metal or Direct3D 12 offered no adapter at all. ' +
            'Install the driver of the graphics card, or run without --gpu.'
        : 'No WebGPU adapter was found. Install the optional package @sparticuz/chromium (Linux x64), ' +
            'or Mesa >= 25 (mesa-vulkan-drivers).',
    );
  }
  if (found.info.vendor === 'nvidia') {
    entry = openInstance(dawn, dawnToggles(checks, found.info.vendor));
    found = (await systemAdapter(entry, false)) ?? found;
  }
  const software = summarizeAdapter(found.info, found.features).kind === 'software';
  const adapter = found;
  const used = { ...options, requireHardware: choice === 'hardware', ...(software ? { wait: pacedWait } : {}) };
  // An adapter gives one device, so the next one begins with the search; the environment may have changed by then.
  const reopen = (): Promise<Gpu> => createGpu({ ...options, adapter: choice });
  return createGpuFrom({ requestAdapter: async () => adapter } as unknown as GPU, used, reopen);
}
