import { resolve } from 'node:path';
import { Presets, SingleBar } from 'cli-progress';
import { openDataset } from '../data/open.node.ts';
import type { Dataset } from '../data/types.ts';
import type { Gpu } from '../gpu/gpu.ts';
import type { Tuning } from '../kernels/tuning/open.ts';
import type { TuneMode } from '../kernels/tuning/plans.ts';
import type { MetricsRecord } from '../train/metrics.node.ts';
import { trainRunRecovering } from '../train/recoverRun.node.ts';
import { latestRun, newRun, openRunFolder, type RunDescription } from '../train/runFolder.node.ts';
import { checkStartWeights } from '../train/weights.node.ts';
import { openTunedGpu } from './adapter.ts';
import { type AdapterChoice, formatDuration } from './common.ts';
import { type ConfigFlags, configFromFlags } from './configFlags.ts';
import { evaluateRun } from './evaluateRun.ts';
import { hasPhrases } from './evaluationPhrases.ts';
import { interruptSignal } from './interrupt.ts';
import { printMemory } from './memoryPlan.ts';
import { parseBytes } from './planCommand.ts';
import { preparePlans, recordPlans } from './runTuning.ts';

/** Flags of `groundray train`, as commander gives them. */
export interface TrainFlags extends ConfigFlags {
  readonly out?: string;
  readonly resume?: string | true;
  readonly gpu?: boolean;
  readonly adapter?: AdapterChoice;
  readonly checks?: boolean;
  readonly tune?: TuneMode;
  readonly memory?: string;
  readonly evaluate: boolean;
}

const runsRoot = 'runs';

async function openRun(flags: TrainFlags): Promise<{ run: RunDescription; dataset: Dataset }> {
  if (flags.resume) {
    const run = openRunFolder(resolve(flags.resume === true ? latestRun(runsRoot) : flags.resume));
    return { run, dataset: await openDataset(run.config.data) };
  }
  const config = configFromFlags(flags);
  const dataset = await openDataset(config.data);
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(':', '').replace('T', '-');
  const folder = resolve(flags.out ?? `${runsRoot}/${config.preset}-${stamp}`);
  const run = newRun(folder, config, dataset);
  // Before anything is written or computed: a weight file that does not fit is found in a moment.
  await checkStartWeights(run.config);
  return { run, dataset };
}

function printRun({ config, folder }: RunDescription, dataset: Dataset): void {
  const count = (split: string): number => dataset.studies.filter((study) => study.split === split).length;
  const { objective, optimizer, schedule } = config;
  const lines = [
    `Run folder: ${folder}`,
    `Preset ${config.preset}, seed ${config.seed}: ${config.imageSize} px, batch ${config.batchSize}, objective ` +
      `${objective.objective} (tau ${objective.tau1}, ${objective.tau2}, ${objective.tau3}), ${optimizer.name} ` +
      `${schedule.learningRate} ${schedule.name}; all of it in config.json`,
    `Data: ${dataset.name}, ${count('train')} training, ${count('validation')} validation, ${count('test')} test studies`,
    ...(dataset.dropped?.length
      ? [
          `Left out: ${dataset.dropped.length} studies, e.g. ${dataset.dropped[0]?.studyId}: ${dataset.dropped[0]?.reason}`,
        ]
      : []),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

function describeRecord(record: MetricsRecord): string {
  const parts = [`loss ${record.total.toFixed(3)}`, `accuracy ${(100 * record.accuracy).toFixed(0)} %`];
  for (const [label, field] of [
    ['global', 'globalVt'],
    ['local', 'localVt'],
  ] as const) {
    const value = record[field];
    if (typeof value === 'number') parts.push(`${label} ${value.toFixed(3)}`);
  }
  if (record.imagesPerSecond) parts.push(`${record.imagesPerSecond.toFixed(1)} images/s`);
  if ((record.dataWait ?? 0) >= 0.05) parts.push(`${(100 * (record.dataWait ?? 0)).toFixed(0)} % waiting for data`);
  return parts.join(', ');
}

/** `0.4 %` */
function describeShare(share: number): string {
  return `${(100 * (Number.isFinite(share) ? share : 0)).toFixed(1)} %`;
}

/** Shows the bar on a terminal, and a line now and then where the output is a file. */
function progressDisplay() {
  const isTerminal = process.stdout.isTTY;
  const bar = new SingleBar(
    { format: '{bar} {value}/{total} | {status} | {left} left', hideCursor: true, clearOnComplete: false },
    Presets.shades_classic,
  );
  let total = 0;
  let first = 0;
  let begin = performance.now();
  let nextLine = 0;
  return {
    start(totalSteps: number, firstStep: number): void {
      [total, first, begin] = [totalSteps, firstStep, performance.now()];
      if (isTerminal) bar.start(totalSteps, firstStep, { status: 'compiling kernels', left: '?' });
    },
    update(record: MetricsRecord): void {
      const elapsed = performance.now() - begin;
      const left = formatDuration((elapsed / Math.max(1, record.step - first)) * (total - record.step));
      const status = describeRecord(record);
      if (record.kind === 'validation') {
        const line = `step ${record.step}: validation ${status}\n`;
        process.stdout.write(isTerminal ? `\r\u001b[K${line}` : line);
      } else if (isTerminal) {
        bar.update(record.step, { status, left });
      } else if (elapsed >= nextLine || record.step === total) {
        process.stdout.write(`step ${record.step}/${total}: ${status}, ${left} left\n`);
        nextLine = elapsed + 15_000;
      }
    },
    stop(): void {
      bar.stop();
    },
  };
}

async function trainAndEvaluate(
  gpu: Gpu,
  tuning: Tuning,
  flags: TrainFlags,
  memory: number | undefined,
): Promise<void> {
  const { run, dataset } = await openRun(flags);
  printRun(run, dataset);
  await printMemory(gpu, run.config, memory);
  const display = progressDisplay();
  const { signal, dispose } = interruptSignal('Stopping after this step.');
  let plansRecorded = Promise.resolve();
  try {
    await preparePlans(gpu, run, tuning, signal);
    const begin = performance.now();
    const result = await trainRunRecovering(
      gpu,
      run,
      dataset,
      {
        onStart: ({ totalSteps, firstStep, parameters, notices }) => {
          for (const notice of notices) process.stdout.write(`${notice}\n`);
          const from = firstStep > 0 ? `, continuing after step ${firstStep}` : '';
          process.stdout.write(`Model: ${parameters.toLocaleString('en')} parameters; ${totalSteps} steps${from}\n`);
          plansRecorded = recordPlans(run.folder, tuning);
          // Told at the end, where it is awaited.
          plansRecorded.catch(() => undefined);
          display.start(totalSteps, firstStep);
        },
        onRecord: (record) => display.update(record),
        onRecover: (sentence) => {
          display.stop();
          process.stdout.write(`${sentence}\n`);
        },
      },
      signal,
    );
    await plansRecorded;
    display.stop();
    const spent = formatDuration(performance.now() - begin);
    const { trainer } = result;
    using _used = trainer.gpu;
    if (!result.completed) {
      process.stdout.write(
        `Stopped and saved after step ${result.stepsDone} of ${result.totalSteps}. ` +
          `Continue with: npm run train -- --resume ${run.folder}\n`,
      );
    } else {
      process.stdout.write(
        `Trained ${result.totalSteps} steps in ${spent}; the GPU waited for data ${describeShare(result.dataWait)} of ` +
          `the steps' time; weights in ${run.folder}/model.safetensors\n`,
      );
      if (flags.evaluate && run.config.evaluateImages > 0 && hasPhrases(dataset, 'test')) {
        await evaluateRun(trainer.gpu, run, dataset, trainer.model, {
          images: run.config.evaluateImages,
          step: result.stepsDone,
          signal,
        });
      }
    }
    trainer.dispose();
  } finally {
    display.stop();
    dispose();
  }
}

/** `groundray train` */
export async function train(flags: TrainFlags): Promise<void> {
  const memory = flags.memory === undefined ? undefined : parseBytes(flags.memory);
  const choice = flags.gpu ? 'gpu' : (flags.adapter ?? 'auto');
  const { gpu, tuning } = await openTunedGpu(choice, flags.checks ?? false, flags.tune);
  try {
    await trainAndEvaluate(gpu, tuning, flags, memory);
  } finally {
    gpu.dispose();
  }
}
