import type { Gpu } from '../../src/gpu/gpu.ts';
import type { KernelTime, ProfiledDispatch } from '../../src/gpu/profile.ts';
import { profile, rollUp } from '../../src/gpu/profile.ts';
import type { Visit } from '../measure/rounds.ts';
import { planRounds, roundRobin } from '../measure/rounds.ts';
import { median, summarize } from '../measure/statistics.ts';
import type { Sample } from '../measure/time.ts';
import { hasTimestamps, leastJsMicroseconds, timeRuns } from '../measure/time.ts';
import { modelSection } from '../report/modelSection.ts';
import { modelTable } from '../report/modelTable.ts';
import type { CaseResult } from '../report/schema.ts';
import type { ModelCase } from './modelCases.ts';
import { modelCases } from './modelCases.ts';
import type { Suite, SuiteOptions } from './suite.ts';
import { leaveOutFailing } from './suite.ts';

/** Steps of small models are repeated for so long. */
const leastMs = 100;

function collect({ only, batches }: SuiteOptions, kind: 'hardware' | 'software'): ModelCase[] {
  return modelCases(kind, batches).filter(({ name, family }) => `${family} ${name}`.toLowerCase().includes(only));
}

/** One form of a model over all rounds. */
interface FormRecord {
  readonly form: 'eager' | 'replayed';
  readonly samples: Sample[];
  peakBytes: number;
}

function resultOf(model: ModelCase, record: FormRecord, compileMs: number, kernels: KernelTime[]): CaseResult {
  const { form, samples, peakBytes } = record;
  const onGpu = samples.flatMap(({ gpuMs }) => gpuMs ?? []);
  const dispatches = samples[0]?.dispatches ?? 0;
  return {
    suite: 'models',
    family: model.family,
    name: `${model.name}, ${form}`,
    // What people wait for: the host may be slower than the GPU.
    clock: 'wall',
    wall: summarize(samples.map(({ wallMs }) => wallMs)),
    ...(onGpu.length > 0 ? { gpu: summarize(onGpu) } : {}),
    dispatches,
    jsMicrosecondsPerDispatch: leastJsMicroseconds(samples),
    items: model.items,
    peakBytes,
    ...(form === 'eager' ? { compileMs } : {}),
    ...(kernels.length > 0 ? { kernels } : {}),
  };
}

/**
 * One step from several: of each of its dispatches the median time, since the thread of a software adapter that has to
 * wait for a processor makes one tiny kernel look like the longest.
 */
export function typicalStep(steps: readonly (readonly ProfiledDispatch[])[]): ProfiledDispatch[] {
  const [first = []] = steps;
  return first.map((dispatch, i) => ({ ...dispatch, us: median(steps.flatMap((step) => step[i]?.us ?? [])) }));
}

/** Measures a model eagerly, captured and by kernel; it exists only during the visit. */
function modelVisit(gpu: Gpu, model: ModelCase) {
  const eager: FormRecord = { form: 'eager', samples: [], peakBytes: 0 };
  const replayed: FormRecord = { form: 'replayed', samples: [], peakBytes: 0 };
  const profiles: ProfiledDispatch[][] = [];
  let [firstMs, runs] = [0, 1];
  const measure = async (round: number): Promise<void> => {
    using _model = gpu.scopes.open();
    const { liveBytes: others } = gpu.memoryReport();
    const { record, before } = model.prepare(gpu);
    const step = (): void => {
      before?.();
      gpu.scope(record);
    };
    gpu.resetPeakMemory();
    const first = await timeRuns(gpu, step, 1);
    eager.peakBytes = gpu.memoryReport().peakBytes - others;
    if (round === 0) firstMs = first.wallMs;
    if (round === 0) runs = Math.max(1, Math.ceil(leastMs / (await timeRuns(gpu, step, 1)).wallMs));
    eager.samples.push(await timeRuns(gpu, step, runs));
    before?.();
    // A capture plans its memory while it records.
    gpu.resetPeakMemory();
    using captured = gpu.capture(record);
    replayed.peakBytes = gpu.memoryReport().peakBytes - others;
    const replay = (): void => {
      before?.();
      captured.run();
    };
    replayed.samples.push(await timeRuns(gpu, replay, runs));
    if (hasTimestamps(gpu)) profiles.push(await profile(gpu, replay));
  };
  const results = (): CaseResult[] => {
    const compileMs = Math.max(0, firstMs - median(eager.samples.map(({ wallMs }) => wallMs)));
    const kernels = rollUp(typicalStep(profiles), 'kernel');
    return [resultOf(model, eager, compileMs, []), resultOf(model, replayed, compileMs, kernels)];
  };
  return { name: model.name, measure, results } satisfies Visit & { readonly results: () => CaseResult[] };
}

export const modelSuite: Suite = {
  name: 'models',
  about: 'ResNet-50, BERT-base, the contrastive heads and whole training steps, eager and replayed',
  count: async (options) => collect(options, 'hardware').length + collect(options, 'software').length,
  run: async ({ gpu, signal, onProgress, calibrate, ...options }) => {
    const failures: string[] = [];
    const visits = collect(options, gpu.adapter.kind).map((model) => leaveOutFailing(modelVisit(gpu, model), failures));
    const plan = planRounds(options.rounds, gpu.adapter.kind, 1.5);
    await roundRobin([...visits, { name: 'roofline', measure: calibrate }], { ...plan, signal, onProgress });
    const results = visits.filter((visit) => !visit.failed()).flatMap((visit) => visit.results());
    return { results, ...(failures.length > 0 ? { extra: { failures } } : {}) };
  },
  table: modelTable,
  html: modelSection,
};
