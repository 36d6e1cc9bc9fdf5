/**
 * The public entry `groundray/train`: the trainer, its configuration and presets.
 * @module groundray/train
 */

export { mergeConfig, parseRunConfig, type RunConfig } from './train/config.ts';
export { ConfigError, NonFiniteError } from './train/errors.ts';
export { type MemoryPlan, type PlanOptions, planStep, type StepPlan } from './train/plan.ts';
export { presets } from './train/presets.ts';
export { type StartModel, type StartModelOptions, startModel } from './train/startModel.ts';
export type { StepMetrics } from './train/stepMetrics.ts';
export { Trainer, type TrainerOptions } from './train/trainer.ts';
