import type { Command } from 'commander';
import { registerEvaluate } from './evaluate.ts';
import { registerImage } from './image.ts';
import { registerIndex } from './indexCorpus.ts';
import { registerLocalize } from './localize.ts';
import { registerPhantom } from './phantom.ts';
import { registerPlan } from './plan.ts';
import { registerPrepare } from './prepare.ts';
import { registerStudy } from './study.ts';
import { registerTrain } from './train.ts';
import { registerTune } from './tune.ts';
import { registerVerify } from './verify.ts';
import { registerWeights } from './weights.ts';

/** Adds every command to the program, in the order in which its help lists them. */
export function registerCommands(program: Command): void {
  const all = [
    registerPhantom,
    registerIndex,
    registerPrepare,
    registerTrain,
    registerPlan,
    registerTune,
    registerEvaluate,
    registerStudy,
    registerLocalize,
    registerImage,
    registerWeights,
    registerVerify,
  ];
  for (const register of all) register(program);
}
