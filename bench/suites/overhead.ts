import type { Gpu } from '../../src/gpu/gpu.ts';
import type { Program } from '../../src/gpu/pipelines.ts';
import { binary } from '../../src/kernels/binary.ts';
import { fill } from '../../src/kernels/fill.ts';
import type { NDArray } from '../../src/kernels/ndarray.ts';
import type { Visit } from '../measure/rounds.ts';
import { planRounds, roundRobin } from '../measure/rounds.ts';
import { summarize } from '../measure/statistics.ts';
import { overheadSection, overheadTable } from '../report/overhead.ts';
import type { CaseResult } from '../report/schema.ts';
import type { Suite, SuiteOptions } from './suite.ts';

const operations = 1000;
/** WGSL's cheapest kernel; the additions of the engine work on as many elements. */
const elements = 16;

interface OverheadCase {
  readonly name: string;
  readonly family: 'engine' | 'Dawn alone';
  readonly prepare: (gpu: Gpu) => () => void;
}

/** Tiny additions, each of which needs the result of the one before. */
function chain(gpu: Gpu): () => NDArray {
  const [start, one] = [fill(gpu, [elements], 0), fill(gpu, [elements], 1)];
  return () => {
    let sum = start;
    for (let i = 0; i < operations; i++) sum = gpu.scope(() => binary('add', sum, one));
    return sum;
  };
}

const incrementProgram: Program = {
  name: 'increment',
  source: `@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@compute @workgroup_size(${elements}) fn main(@builtin(local_invocation_index) i: u32) { x[i] += 1.0; }`,
  constants: {},
  params: { fields: [], bytes: 0 },
  bindings: ['write'],
  features: [],
  cost: () => ({ flops: elements, bytes: 8 * elements }),
};

/** The same number of dependent dispatches without the engine: what WebGPU itself costs in this process. */
function bare(gpu: Gpu, passes: 'one' | 'many', submits: 'one' | 'many'): () => void {
  const { device, pipelines } = gpu;
  const x = fill(gpu, [elements], 0);
  const compiled = pipelines.get(incrementProgram);
  const group = pipelines.bindGroup(compiled, [x.range]);
  return () => {
    let encoder = device.createCommandEncoder();
    let pass = encoder.beginComputePass();
    const begin = (): void => {
      pass.setPipeline(compiled.pipeline);
      pass.setBindGroup(0, group);
    };
    begin();
    for (let i = 0; i < operations; i++) {
      pass.dispatchWorkgroups(1);
      if (i === operations - 1 || passes === 'one') continue;
      pass.end();
      if (submits === 'many') {
        device.queue.submit([encoder.finish()]);
        encoder = device.createCommandEncoder();
      }
      pass = encoder.beginComputePass();
      begin();
    }
    pass.end();
    device.queue.submit([encoder.finish()]);
  };
}

const cases: readonly OverheadCase[] = [
  {
    name: `${operations} tiny dependent operations, eager`,
    family: 'engine',
    prepare: (gpu) => {
      const record = chain(gpu);
      return () => void record().dispose();
    },
  },
  {
    name: `${operations} tiny dependent operations, replayed`,
    family: 'engine',
    prepare: (gpu) => {
      const captured = gpu.capture(chain(gpu));
      return () => captured.run();
    },
  },
  { name: `${operations} dispatches in one pass`, family: 'Dawn alone', prepare: (gpu) => bare(gpu, 'one', 'one') },
  { name: `${operations} dispatches, a pass each`, family: 'Dawn alone', prepare: (gpu) => bare(gpu, 'many', 'one') },
  {
    name: `${operations} dispatches, a submit each`,
    family: 'Dawn alone',
    prepare: (gpu) => bare(gpu, 'many', 'many'),
  },
];

function collect({ only }: SuiteOptions): OverheadCase[] {
  return cases.filter(({ name, family }) => `overhead ${family} ${name}`.toLowerCase().includes(only));
}

/** JavaScript until everything is recorded and submitted, and the wall clock until the queue is idle. */
function overheadVisit(gpu: Gpu, { name, family, prepare }: OverheadCase) {
  const samples: { readonly wallMs: number; readonly jsMs: number }[] = [];
  let run: (() => void) | undefined;
  const time = async (record: () => void) => {
    await gpu.finish();
    const begin = performance.now();
    record();
    const jsMs = performance.now() - begin;
    await gpu.finish();
    return { wallMs: performance.now() - begin, jsMs };
  };
  const measure = async (): Promise<void> => {
    run ??= prepare(gpu);
    const record = run;
    // The first run after other cases finds cold caches, in the processor and in V8.
    await time(() => gpu.scope(record));
    samples.push(await time(() => gpu.scope(record)));
  };
  const result = (): CaseResult => ({
    suite: 'overhead',
    family,
    name,
    clock: 'wall',
    wall: summarize(samples.map(({ wallMs }) => wallMs)),
    dispatches: operations,
    jsMicrosecondsPerDispatch: (1000 * Math.min(...samples.map(({ jsMs }) => jsMs))) / operations,
  });
  return { name, measure, result } satisfies Visit & { readonly result: () => CaseResult };
}

export const overheadSuite: Suite = {
  name: 'overhead',
  about: 'what a dispatch costs: eager, replayed, and without the engine in one pass, many passes, many submits',
  count: async (options) => collect(options).length,
  run: async ({ gpu, signal, onProgress, calibrate, ...options }) => {
    using _inputs = gpu.scopes.open();
    const visits = collect(options).map((found) => overheadVisit(gpu, found));
    // These take milliseconds, so that more rounds cost nothing.
    const rounds = 2 * planRounds(options.rounds, gpu.adapter.kind, 1).rounds;
    await roundRobin([...visits, { name: 'roofline', measure: calibrate }], { rounds, signal, onProgress });
    return { results: visits.map((visit) => visit.result()) };
  },
  table: ({ results }) => overheadTable(results),
  html: ({ results }) => overheadSection(results),
};
