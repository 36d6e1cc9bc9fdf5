import { BertLayer } from '../models/bert.ts';
import type { GroundingModel } from '../models/grounding.ts';
import type { ObjectiveConfig } from '../models/objective.ts';
import { Bottleneck } from '../models/resnet.ts';
import type { ParameterArena } from '../nn/arena.ts';
import { BatchNorm2d } from '../nn/layers.ts';
import type { Optimizer } from '../nn/optimizer.ts';
import { adam, sgd } from '../nn/optimizer.ts';
import type { Schedule } from '../nn/schedule.ts';
import { constantRate, exponentialDecay, linearWarmup, oneCycle } from '../nn/schedule.ts';
import type { RunConfig } from './config.ts';

/** Where the last phase of a run begins, or its end if it has none. */
function finishStart({ finish }: RunConfig, totalSteps: number): number {
  return totalSteps - Math.round(totalSteps * (finish?.share ?? 0));
}

/** The learning rate of each step. */
export function scheduleOf(config: RunConfig, totalSteps: number, stepsPerEpoch: number): Schedule {
  const start = finishStart(config, totalSteps);
  const main = mainSchedule(config, start, stepsPerEpoch);
  if (!config.finish) return main;
  const { learningRate } = config.finish;
  return (step) => (step < start ? main(step) : (learningRate * (totalSteps - step)) / (totalSteps - start));
}

/** The objective of a step: that of the run, with a temperature of its own in the last phase. */
export function objectiveAt(config: RunConfig, step: number, totalSteps: number): ObjectiveConfig {
  const { objective, finish } = config;
  return finish && step >= finishStart(config, totalSteps) ? { ...objective, tau2: finish.tau2 } : objective;
}

function mainSchedule(config: RunConfig, totalSteps: number, stepsPerEpoch: number): Schedule {
  const { name, learningRate, warmup, gamma } = config.schedule;
  if (name === 'one-cycle') return oneCycle(learningRate, totalSteps, { warmup });
  const plain =
    name === 'exponential' ? exponentialDecay(learningRate, gamma, stepsPerEpoch) : constantRate(learningRate);
  return warmup > 0 ? linearWarmup(plain, Math.round(warmup * totalSteps)) : plain;
}

/** Which parameters keep their values. */
export function frozenBy({ frozen }: RunConfig): (name: string) => boolean {
  return (name) => {
    if (name.startsWith('bert.embeddings.')) return frozen.embeddings;
    const layer = /^bert\.encoder\.layer\.(\d+)\./.exec(name)?.[1];
    return layer !== undefined && Number(layer) < frozen.layers;
  };
}

export function optimizerOf(config: RunConfig, arena: ParameterArena): Optimizer {
  const { name, betas, eps, weightDecay, momentum } = config.optimizer;
  if (name === 'sgd') return sgd(arena, { momentum, weightDecay });
  return adam(arena, { betas, eps, weightDecay, decoupled: name === 'adamw' });
}

/** Marks the blocks that are computed again in the backward pass: bottlenecks and encoder layers, or none. */
export function setCheckpointing(model: GroundingModel, { checkpointing }: RunConfig): void {
  for (const [, module] of model.namedModules()) {
    const isBlock = module instanceof Bottleneck || module instanceof BertLayer;
    module.checkpointed = isBlock && checkpointing === 'blocks';
  }
}

/** Puts the model in training, except batch norms that are to keep their statistics. */
export function setTraining(model: GroundingModel, { frozen }: RunConfig): void {
  for (const [, module] of model.namedModules()) {
    module.training = !(frozen.batchNorm && module instanceof BatchNorm2d);
  }
}
