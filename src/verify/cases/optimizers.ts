import { z } from 'zod';
import { ParameterArena } from '../../nn/arena.ts';
import { clipGradNorm, readGradNorm, scaleGradients } from '../../nn/clip.ts';
import { constant } from '../../nn/init.ts';
import { Module, Parameter } from '../../nn/module.ts';
import type { Optimizer } from '../../nn/optimizer.ts';
import { adam, sgd } from '../../nn/optimizer.ts';
import { exponentialDecay } from '../../nn/schedule.ts';
import type { CaseContext } from '../caseContext.ts';
import type { HostTensor } from '../compare.ts';
import { ParameterReader } from './moduleCase.ts';
import type { CaseRunner, CaseRunners } from './operator.ts';
import { attributesOf } from './operator.ts';

/** Parameters without a network around them. */
class LooseParameters extends Module {
  readonly named: Readonly<Record<string, Parameter>>;

  constructor(shapes: ReadonlyMap<string, readonly number[]>) {
    super();
    this.named = Object.fromEntries([...shapes].map(([name, shape]) => [name, new Parameter(shape, constant(0))]));
  }

  write(name: string, what: 'value' | 'gradient', values: ArrayLike<number>): void {
    const tensor = this.named[name]?.tensor;
    if (what === 'value') tensor?.array.write(values);
    else tensor?.grad?.write(values);
  }
}

/** Runs the stored gradients `g [steps, ...]` through an optimizer, from the values `p`. */
async function optimize(
  context: CaseContext,
  rates: readonly number[],
  slots: readonly string[],
  make: (arena: ParameterArena) => Optimizer,
): Promise<void> {
  const start = context.input('p');
  const gradients = context.input('g');
  const { length } = start.data;
  const module = new LooseParameters(new Map([['p', start.shape]]));
  using arena = new ParameterArena(context.gpu, module, { initialize: false });
  using optimizer = make(arena);
  const reader = new ParameterReader(module);
  module.write('p', 'value', start.data);
  const steps = new Float32Array(rates.length * length);
  for (const [step, learningRate] of rates.entries()) {
    module.write('p', 'gradient', gradients.data.subarray(step * length, (step + 1) * length));
    optimizer.step({ learningRate });
    steps.set(await reader.value('named.p'), step * length);
  }
  context.output('p_steps', { shape: [rates.length, ...start.shape], data: steps });
  const { tensors } = await optimizer.state();
  for (const slot of slots) {
    const state: HostTensor | undefined = tensors.get(`named.p.${slot}`);
    if (state) context.output(slot, state);
  }
}

const adamAttributes = z.object({
  lrs: z.array(z.number()),
  betas: z.tuple([z.number(), z.number()]),
  eps: z.number(),
  weight_decay: z.number().default(0),
  decoupled: z.boolean().default(false),
});

const sgdAttributes = z.object({
  lrs: z.array(z.number()),
  momentum: z.number().default(0),
  weight_decay: z.number().default(0),
});

const clip: CaseRunner = async (context) => {
  const { max_norm: maxNorm } = attributesOf(context, z.object({ max_norm: z.number() }));
  const gradients = new Map(context.spec.inputs.map(({ name }) => [name, context.input(name)]));
  const module = new LooseParameters(new Map([...gradients].map(([name, { shape }]) => [name, shape])));
  using arena = new ParameterArena(context.gpu, module, { initialize: false });
  for (const [name, { data }] of gradients) module.write(name, 'gradient', data);
  using clipped = clipGradNorm(arena, maxNorm);
  scaleGradients(arena, clipped);
  const { norm } = await readGradNorm(clipped);
  context.output('norm', { shape: [], data: [norm] });
  const reader = new ParameterReader(module);
  for (const [name, { shape }] of gradients) {
    context.output(name, { shape, data: await reader.gradient(`named.${name}`) });
  }
};

const decayAttributes = z.object({ lr0: z.number(), gamma: z.number(), epochs: z.int() });

export const runners: CaseRunners = {
  adam: async (context) => {
    const { lrs, betas, eps, weight_decay: weightDecay, decoupled } = attributesOf(context, adamAttributes);
    await optimize(context, lrs, ['exp_avg', 'exp_avg_sq'], (arena) =>
      adam(arena, { betas, eps, weightDecay, decoupled }),
    );
  },
  sgd: async (context) => {
    const { lrs, momentum, weight_decay: weightDecay } = attributesOf(context, sgdAttributes);
    await optimize(context, lrs, ['momentum_buffer'], (arena) => sgd(arena, { momentum, weightDecay }));
  },
  clip_grad_norm: clip,
  exponential_lr: async (context) => {
    const { lr0, gamma, epochs } = attributesOf(context, decayAttributes);
    const schedule = exponentialDecay(lr0, gamma, 1);
    context.output('lrs', {
      shape: [epochs],
      data: Float32Array.from({ length: epochs }, (_, epoch) => schedule(epoch)),
    });
  },
};
