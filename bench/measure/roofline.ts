import type { Gpu } from '../../src/gpu/gpu.ts';
import { paramLayout } from '../../src/gpu/params.ts';
import type { Program } from '../../src/gpu/pipelines.ts';
import { grid1d } from '../../src/kernels/define.ts';
import { fill } from '../../src/kernels/fill.ts';
import { NDArray } from '../../src/kernels/ndarray.ts';
import { fma, stream } from './shaders.gen.ts';
import type { Measured } from './statistics.ts';
import { summarize } from './statistics.ts';
import { timeRuns } from './time.ts';

/** What a device reached in the two micro-kernels. Times are those of the micro-kernels, for the noise and the drift. */
export interface Roofline {
  /** Best rate of f32 multiply-adds in registers. */
  readonly gflops: number;
  /** Best rate of a copy between two large arrays, reads and writes counted. */
  readonly gigabytesPerSecond: number;
  readonly arithmetic: Measured;
  readonly copy: Measured;
}

/** Work of a case: operations, and bytes that an ideal implementation moves. */
export interface Work {
  readonly flops: number;
  readonly bytes: number;
}

/** Time in milliseconds that the device needs for the work at its best. */
export function idealMs({ flops, bytes }: Work, roofline: Pick<Roofline, 'gflops' | 'gigabytesPerSecond'>): number {
  return Math.max(flops / roofline.gflops, bytes / roofline.gigabytesPerSecond) / 1e6;
}

/** Which of the two bounds the work. */
export function boundOf({ flops, bytes }: Work, roofline: Roofline): 'arithmetic' | 'memory' {
  return flops / roofline.gflops > bytes / roofline.gigabytesPerSecond ? 'arithmetic' : 'memory';
}

function arithmeticProgram(chains: number, fused: boolean): Program {
  return {
    name: `fma/${chains}${fused ? '-fused' : ''}`,
    source: fma,
    constants: { CHAINS: chains, FUSED: fused },
    params: paramLayout({ steps: 'u32' }),
    bindings: ['write'],
    features: [],
    cost: () => ({ flops: 0, bytes: 0 }),
  };
}

function copyProgram(): Program {
  return {
    name: 'stream',
    source: stream,
    constants: {},
    params: paramLayout({ count: 'u32' }),
    bindings: ['read', 'write'],
    features: [],
    cost: () => ({ flops: 0, bytes: 0 }),
  };
}

const chainCounts = [2, 4, 8] as const;
const workgroup = 64;
/** A measurement takes about this long: enough for clocks and threads to get going. */
const measuredMs = 20;

interface Form {
  readonly record: () => void;
  readonly work: number;
}

function arithmeticForms(gpu: Gpu): Form[] {
  const invocations = gpu.adapter.kind === 'hardware' ? 2 ** 20 : 2 ** 12;
  const steps = gpu.adapter.kind === 'hardware' ? 256 : 2048;
  const y = NDArray.empty(gpu, [invocations]);
  return chainCounts.flatMap((chains) =>
    [true, false].map((fused) => {
      const program = arithmeticProgram(chains, fused);
      return {
        record: () => gpu.dispatch(program, [y.range], { steps }, [invocations / workgroup, 1, 1]),
        work: 8 * chains * steps * invocations,
      };
    }),
  );
}

/** Larger than the caches. */
const copyBytes = { hardware: 2 ** 28, software: 2 ** 26 } as const;

function copyForm(gpu: Gpu, wanted: number): Form {
  const { maxStorageBufferBindingSize } = gpu.device.limits;
  const bytes = Math.min(wanted, 2 ** Math.floor(Math.log2(maxStorageBufferBindingSize)));
  const [x, y] = [fill(gpu, [bytes / 4], 1), NDArray.empty(gpu, [bytes / 4])];
  const program = copyProgram();
  const count = bytes / 16;
  return {
    record: () => gpu.dispatch(program, [x.range, y.range], { count }, grid1d(count, 256)),
    work: 2 * bytes,
  };
}

async function repeated(gpu: Gpu, { record }: Form): Promise<() => Promise<number>> {
  const time = async (times: number): Promise<number> => {
    const { gpuMs, wallMs } = await timeRuns(gpu, record, times);
    return gpuMs ?? wallMs;
  };
  await time(1);
  const times = Math.max(1, Math.ceil(measuredMs / (await time(1))));
  return () => time(times);
}

/**
 * Measures the device now and then during a run: `sample` adds a measurement of each micro-kernel.
 * @param bytes of each of the two arrays that are copied.
 */
export async function calibrate(
  gpu: Gpu,
  bytes: number = copyBytes[gpu.adapter.kind],
): Promise<{
  readonly sample: () => Promise<void>;
  readonly roofline: () => Roofline;
}> {
  let arithmetic: { form: Form; time: () => Promise<number>; rate: number } | undefined;
  // The scope of the run owns the arrays: they are needed until its end.
  for (const form of arithmeticForms(gpu)) {
    const time = await repeated(gpu, form);
    const rate = form.work / Math.min(await time(), await time(), await time());
    if (!arithmetic || rate > arithmetic.rate) arithmetic = { form, time, rate };
  }
  const best = arithmetic;
  if (!best) throw new Error('There is no form of the arithmetic micro-kernel.');
  const copy = copyForm(gpu, bytes);
  const timeCopy = await repeated(gpu, copy);
  const [arithmeticMs, copyMs]: [number[], number[]] = [[], []];
  const sample = async (): Promise<void> => {
    arithmeticMs.push(await best.time());
    copyMs.push(await timeCopy());
  };
  await sample();
  return {
    sample,
    roofline: () => ({
      gflops: best.form.work / Math.min(...arithmeticMs) / 1e6,
      gigabytesPerSecond: copy.work / Math.min(...copyMs) / 1e6,
      arithmetic: summarize(arithmeticMs),
      copy: summarize(copyMs),
    }),
  };
}
