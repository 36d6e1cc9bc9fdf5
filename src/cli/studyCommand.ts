import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { openDataset } from '../data/open.node.ts';
import type { Dataset } from '../data/types.ts';
import { phraseFacts } from '../eval/study/facts.ts';
import { type StudyRun, strangerAmong, untrainedCondition } from '../eval/study/measurement.ts';
import type { Provenance } from '../eval/study/report.ts';
import { tabulateStudy } from '../eval/study/tabulate.ts';
import { writeStudy } from '../eval/study/write.node.ts';
import { describeAdapter } from '../gpu/adapter.ts';
import { openTunedGpu } from './adapter.ts';
import { shownPath, UsageError } from './common.ts';
import { divideForEvaluation } from './evaluationPhrases.ts';
import { adapterOf } from './flags.ts';
import { interruptSignal } from './interrupt.ts';
import { parseCondition } from './study/conditions.ts';
import { studyDisplay } from './study/display.ts';
import { measureRun, type StudyContext } from './study/measureRun.ts';
import { type PlannedRun, planRuns, type StudyWork, workLeft } from './study/plan.ts';
import { type StudyFlags, type StudySettings, settleStudy, studyFolder, writeSettings } from './study/settings.ts';
import { resultPath } from './study/storedRun.ts';
import { studyLines } from './study/summary.ts';

const print = (text: string): void => void process.stdout.write(text);

function printPlan({ config, conditions, seeds }: StudySettings, folder: string, work: StudyWork, runs: number): void {
  const finished = runs - work.evaluations;
  print(
    `Study: ${shownPath(folder)}\n` +
      `Preset ${config.preset}: ${conditions.join(', ')} and the untrained network, seeds ${seeds.join(', ')}\n` +
      `${runs} runs${finished > 0 ? `, ${finished} of them finished` : ''}; ${work.trainings} to train\n`,
  );
}

/** The runs that are finished, in the order of the plan; all of them unless the signal stopped it. */
async function measureAll(context: StudyContext, planned: readonly PlannedRun[]): Promise<StudyRun[]> {
  const runs: StudyRun[] = [];
  try {
    for (const run of planned) {
      // What is finished is read even after the signal, so that the tables have it.
      if (context.signal.aborted && workLeft([run]).evaluations > 0) continue;
      const measured = await measureRun(context, run);
      if (measured) runs.push(measured);
    }
  } finally {
    context.display.stop();
  }
  return runs;
}

function provenanceOf(settings: StudySettings, planned: readonly PlannedRun[], runs: readonly StudyRun[]): Provenance {
  const { config, conditions, seeds, adapter } = settings;
  const files = runs.flatMap(({ condition, seed }) =>
    planned.filter((run) => run.condition === condition && run.seed === seed).map(({ folder }) => resultPath(folder)),
  );
  const last = Math.max(...files.map((file) => statSync(file).mtimeMs));
  const length = config.steps === undefined ? '' : ` --steps ${config.steps}`;
  return {
    adapter,
    date: new Date(last).toISOString().slice(0, 10),
    command:
      `npm run study -- --preset ${config.preset}${length} --images ${config.evaluateImages} ` +
      `--objectives ${conditions.join(',')} --seeds ${seeds.join(',')}`,
    missing: planned.length - runs.length,
  };
}

/** @throws UsageError when a run was evaluated in another way than the others. */
async function report(
  folder: string,
  settings: StudySettings,
  dataset: Dataset,
  planned: readonly PlannedRun[],
  runs: readonly StudyRun[],
): Promise<void> {
  const stranger = strangerAmong(runs);
  if (stranger) {
    const { condition, seed } = stranger;
    const found = planned.find((run) => run.condition === condition && run.seed === seed);
    throw new UsageError(
      `${condition}, seed ${seed}, was evaluated on other phrases or under another protocol than ${runs[0]?.condition}, ` +
        `seed ${runs[0]?.seed}. Remove ${shownPath(found?.folder ?? folder)}/evaluation, and the study evaluates it again.`,
    );
  }
  const result = tabulateStudy(runs, [...settings.conditions, untrainedCondition], phraseFacts(dataset));
  const page = await writeStudy(folder, result, provenanceOf(settings, planned, runs));
  print(`${studyLines(result).join('\n')}\nTables: ${shownPath(page)} (also .json and .svg)\n`);
}

/** The choice of the processor, to be repeated when the study goes on. */
function adapterFlag({ gpu, adapter }: StudyFlags): string {
  if (gpu) return ' --gpu';
  return adapter === undefined ? '' : ` --adapter ${adapter}`;
}

/** `groundray study` */
export async function study(flags: StudyFlags): Promise<void> {
  for (const name of flags.objectives ?? []) parseCondition(name);
  const folder = resolve(studyFolder(flags));
  const { gpu, tuning } = await openTunedGpu(adapterOf(flags), false, undefined);
  const { signal, dispose } = interruptSignal('Stopping the study after this step.');
  try {
    const settings = settleStudy(flags, describeAdapter(gpu.adapter), folder);
    const dataset = await openDataset(settings.config.data);
    // A test split without phrases is found here and not after hours of training.
    divideForEvaluation(dataset, 'test', settings.config.evaluateImages, false);
    const planned = planRuns(folder, settings);
    await writeSettings(folder, settings);
    const work = workLeft(planned);
    printPlan(settings, folder, work, planned.length);
    const runs = await measureAll({ gpu, tuning, dataset, display: studyDisplay(work), signal }, planned);
    if (runs.length > 0) await report(folder, settings, dataset, planned, runs);
    if (runs.length < planned.length) {
      process.exitCode = 130;
      print(
        `Stopped: ${runs.length} of ${planned.length} runs are finished. ` +
          `Go on with: npm run study -- --out ${shownPath(folder)}${adapterFlag(flags)}\n`,
      );
    }
  } finally {
    dispose();
    gpu.dispose();
  }
}
