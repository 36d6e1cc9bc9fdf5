import type { GrayImage } from '../../../src/data/types.ts';
import type { Localization } from '../../../src/eval/localizer.ts';
import { createGpu } from '../../../src/gpu/create.ts';
import { GpuError } from '../../../src/gpu/errors.ts';
import type { Gpu } from '../../../src/gpu/gpu.ts';
import type { RunConfig } from '../../../src/train/config.ts';
import type { StepMetrics } from '../../../src/train/stepMetrics.ts';
import { type CheckpointFiles, parseCheckpoint } from './checkpoint.ts';
import { PageTraining } from './training.ts';

/** A run at its beginning. */
export interface Begun {
  readonly config: RunConfig;
  /** Steps of the whole run, and of these done already. */
  readonly steps: number;
  readonly done: number;
}

/** What the page asks of the worker that trains. Calls must not overlap. */
export class TrainingService {
  private gpu: Gpu | undefined;
  private training: PageTraining | undefined;

  /** Answers when the worker is there. */
  load(): void {}

  /**
   * Begins a run of `steps` optimizer steps in place of the one before: of a new small model, or from the files of a model.
   * A run that was saved before its end goes on where it was. @returns Where it stands; no step is taken yet.
   */
  async begin(steps: number, from?: CheckpointFiles): Promise<Begun> {
    this.end();
    const start = from && parseCheckpoint('the opened model', from);
    this.gpu = await createGpu();
    const training = await PageTraining.open(this.gpu, steps, start);
    this.training = training;
    return { config: training.config, steps: training.steps, done: training.done };
  }

  step(): Promise<StepMetrics> {
    return this.ready().step();
  }

  /** Where the model, as it is now, finds a phrase. */
  find(image: GrayImage, phrase: string): Promise<Localization> {
    return this.ready().find(image, phrase);
  }

  /** The model as it is now, as the files of a run folder. */
  files(): Promise<CheckpointFiles> {
    return this.ready().files();
  }

  /** Frees the device and all that is on it. */
  end(): void {
    this.gpu?.dispose();
    this.gpu = undefined;
    this.training = undefined;
  }

  private ready(): PageTraining {
    if (!this.training) throw new GpuError('The training has not begun.');
    return this.training;
  }
}
