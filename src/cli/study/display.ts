import { Presets, SingleBar } from 'cli-progress';
import type { MetricsRecord } from '../../train/metrics.node.ts';
import { formatDuration } from '../common.ts';
import type { StudyWork } from './plan.ts';

/** Shows how far a study is: the run under way, and the time that all that is left will take. */
export interface StudyDisplay {
  begin(run: { readonly condition: string; readonly seed: number }): void;
  start(totalSteps: number, firstStep: number): void;
  update(record: MetricsRecord): void;
  evaluate(): void;
  /** The run is finished. */
  end(): void;
  stop(): void;
}

/** A bar per run on a terminal, else a line now and then; evaluations show their own bar. */
export function studyDisplay({ trainings, evaluations }: StudyWork): StudyDisplay {
  const isTerminal = process.stdout.isTTY === true;
  const print = (text: string): void => void process.stdout.write(text);
  const bar = new SingleBar(
    { format: '{bar} {value}/{total} | {status} | {left}', hideCursor: true, clearOnComplete: true },
    Presets.shades_classic,
  );
  let [done, nextLine] = [0, 0];
  let [run, begin] = ['', 0];
  const steps = { total: 0, first: 0, now: 0 };
  /** Measured so far: steps and the milliseconds they took, and whole evaluations. */
  const spent = { steps: 0, training: 0, evaluations: 0, evaluating: 0 };
  let trainingsLeft = trainings;

  const left = (stepsLeft: number): string => {
    const perStep = spent.training / spent.steps;
    const perEvaluation = spent.evaluations > 0 ? spent.evaluating / spent.evaluations : 0;
    const time = perStep * (stepsLeft + trainingsLeft * steps.total) + perEvaluation * (evaluations - done);
    return Number.isFinite(time) ? `study: ${formatDuration(time)} left` : 'study: time left not known yet';
  };
  return {
    begin({ condition, seed }) {
      run = `${condition}, seed ${seed}`;
      print(`Run ${done + 1} of ${evaluations}: ${run}\n`);
    },
    start(totalSteps, firstStep) {
      trainingsLeft -= 1;
      begin = performance.now();
      Object.assign(steps, { total: totalSteps, first: firstStep, now: firstStep });
      nextLine = begin + 15_000;
      if (isTerminal) bar.start(totalSteps, firstStep, { status: 'compiling kernels', left: '' });
    },
    update({ kind, step, total: loss, accuracy }) {
      if (kind !== 'train') return;
      const now = performance.now();
      spent.steps += step - steps.now;
      spent.training += now - begin;
      begin = now;
      steps.now = step;
      const status = `loss ${loss.toFixed(3)}, accuracy ${(100 * accuracy).toFixed(0)} %`;
      if (isTerminal) bar.update(step, { status, left: left(steps.total - step) });
      else if (now >= nextLine || step === steps.total) {
        print(`${run}: step ${step}/${steps.total}, ${status}; ${left(steps.total - step)}\n`);
        nextLine = now + 60_000;
      }
    },
    evaluate() {
      bar.stop();
      begin = performance.now();
    },
    end() {
      done += 1;
      spent.evaluations += 1;
      spent.evaluating += performance.now() - begin;
    },
    stop() {
      bar.stop();
    },
  };
}
