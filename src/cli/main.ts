#!/usr/bin/env node
import { Command } from 'commander';
import { registerEvaluate } from './evaluate.ts';
import { registerLocalize } from './localize.ts';
import { registerPhantom } from './phantom.ts';
import { registerPlan } from './plan.ts';
import { registerStudy } from './study.ts';
import { registerTrain } from './train.ts';
import { registerTune } from './tune.ts';
import { registerVerify } from './verify.ts';

const program = new Command('groundray').description(
  'Phrase grounding on chest X-rays, trained in TypeScript on WebGPU. Research use only, not for diagnosis.',
);
for (const register of [
  registerPhantom,
  registerTrain,
  registerPlan,
  registerTune,
  registerEvaluate,
  registerStudy,
  registerLocalize,
  registerVerify,
])
  register(program);
await program.parseAsync();
