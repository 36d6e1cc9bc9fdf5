import { z } from 'zod';
import { backward } from '../../autograd/tape.ts';
import type { Tensor } from '../../autograd/tensor.ts';
import { tensor } from '../../autograd/tensor.ts';
import { GroundingModel } from '../../models/grounding.ts';
import type { ObjectiveLosses } from '../../models/objective.ts';
import { contrastiveObjective, defaultObjective } from '../../models/objective.ts';
import { resNetConfig } from '../../models/resnet.ts';
import type { ParameterArena } from '../../nn/arena.ts';
import type { Optimizer } from '../../nn/optimizer.ts';
import { adam, sgd } from '../../nn/optimizer.ts';
import { exponentialDecay } from '../../nn/schedule.ts';
import type { CaseContext } from '../caseContext.ts';
import { checkGradientSummary } from '../gradientSummary.ts';
import { hashUniform, probedIndices } from '../hash.ts';
import { generatedParameter } from '../parameters.ts';
import { dot, norm } from '../statistics.ts';
import { channelsLast } from './layout.ts';
import { bindModule, ParameterReader } from './moduleCase.ts';
import type { CaseRunner, CaseRunners } from './operator.ts';
import { attributesOf } from './operator.ts';

const optimizerAttributes = z.discriminatedUnion('name', [
  z.object({
    name: z.literal('sgd'),
    lr: z.number(),
    momentum: z.number().default(0),
    weight_decay: z.number().default(0),
  }),
  z.object({ name: z.literal('adam'), lr: z.number(), weight_decay: z.number().default(0) }),
]);

const attributes = z.object({
  layers: z.array(z.int()),
  base_width: z.int(),
  max_sentences: z.int(),
  hidden: z.int(),
  heads: z.int(),
  bert_layers: z.int(),
  inter: z.int(),
  vocab: z.int(),
  maxpos: z.int(),
  types: z.int().default(2),
  steps: z.int(),
  decay: z.number().default(1),
  optimizer: optimizerAttributes,
  loss: z.object({
    tau1: z.number(),
    tau2: z.number(),
    tau3: z.number(),
    attn_sim: z.enum(['dot', 'cosine']),
    attn_norm: z.enum(['regions', 'sentences_regions']),
    agg: z.enum(['sum', 'mean']),
  }),
  param_names: z.array(z.string()),
  exempt_params: z.array(z.string()).default([]),
});

type Attributes = z.infer<typeof attributes>;

function makeModel(sizes: Attributes): GroundingModel {
  return new GroundingModel({
    visual: resNetConfig(sizes.layers, sizes.base_width),
    localStage: 3,
    text: {
      vocabulary: sizes.vocab,
      hidden: sizes.hidden,
      layers: sizes.bert_layers,
      heads: sizes.heads,
      intermediate: sizes.inter,
      maxPositions: sizes.maxpos,
      tokenTypes: sizes.types,
      dropout: 0,
      eps: 1e-12,
      pooler: false,
    },
    dimension: sizes.hidden,
  });
}

function makeOptimizer(arena: ParameterArena, options: Attributes['optimizer']): Optimizer {
  const { weight_decay: weightDecay } = options;
  return options.name === 'sgd'
    ? sgd(arena, { momentum: options.momentum, weightDecay })
    : adam(arena, { weightDecay });
}

/** Losses and similarities of the batch of a step; the gradients are left in the arena. */
function forwardAndBack(context: CaseContext, model: GroundingModel, sizes: Attributes, step: number) {
  const { gpu } = context;
  const input = (name: string): Tensor => {
    const { data, shape, dtype } = context.input(`${name}.${step}`);
    return tensor(gpu, data, shape, { dtype });
  };
  const { tau1, tau2, tau3, attn_sim: attention, attn_norm: normalization, agg: aggregation } = sizes.loss;
  return gpu.scope(() => {
    const losses = contrastiveObjective(
      model,
      {
        image: channelsLast(input('image')),
        ids: input('ids'),
        mask: input('mask'),
        sentences: { ids: input('sentence_ids'), count: sizes.max_sentences },
      },
      { ...defaultObjective, unitRegions: false, tau1, tau2, tau3, attention, normalization, aggregation },
    );
    backward([losses.total]);
    return losses;
  });
}

/** Numbers of every step in one output, `[steps, ...]`. */
class Trace {
  private readonly rows = new Map<string, { readonly shape: readonly number[]; readonly data: number[] }>();

  push(name: string, shape: readonly number[], values: Iterable<number>): void {
    const row = this.rows.get(name) ?? { shape, data: [] };
    row.data.push(...values);
    this.rows.set(name, row);
  }

  check(context: CaseContext, steps: number): void {
    for (const [name, { shape, data }] of this.rows) context.output(name, { shape: [steps, ...shape], data });
  }
}

async function traceLosses(trace: Trace, losses: ObjectiveLosses): Promise<void> {
  const { globalVt, globalTv, localVt, localTv, total, globalSimilarity, localSimilarity } = losses;
  const terms = [globalVt, globalTv, localVt, localTv, total];
  const values: number[] = [];
  for (const term of terms) values.push((await term?.item()) ?? Number.NaN);
  trace.push('losses', [terms.length], values);
  trace.push('Sg', globalSimilarity.shape, await globalSimilarity.data());
  if (localSimilarity) trace.push('Z', localSimilarity.shape, await localSimilarity.data());
  for (const result of [...terms, globalSimilarity, localSimilarity]) result?.dispose();
}

async function traceParameters(trace: Trace, reader: ParameterReader, names: readonly string[]): Promise<void> {
  const [norms, probes, entries]: [number[], number[], number[]] = [[], [], []];
  for (const name of names) {
    const value = await reader.value(name);
    norms.push(norm(value));
    probes.push(dot(value, hashUniform(`probe.${name}`, 0, value.length)));
    entries.push(...probedIndices(`idx.${name}`, 4, value.length).map((index) => value[index] ?? Number.NaN));
  }
  trace.push('param_norm', [names.length], norms);
  trace.push('param_probe', [names.length], probes);
  trace.push('param_entries', [names.length, 4], entries);
}

async function traceRunningNorms(trace: Trace, model: GroundingModel): Promise<void> {
  const squares = { running_mean: 0, running_var: 0 };
  for (const [name, { array }] of model.namedBuffers()) {
    const statistic = name.endsWith('.running_mean') ? 'running_mean' : 'running_var';
    squares[statistic] += norm(await array.read()) ** 2;
  }
  trace.push('running_norms', [2], [Math.sqrt(squares.running_mean), Math.sqrt(squares.running_var)]);
}

const trainTrace: CaseRunner = async (context) => {
  const sizes = attributesOf(context, attributes);
  const { steps, optimizer: optimizerOptions, param_names: names } = sizes;
  const model = makeModel(sizes);
  using arena = bindModule(context.gpu, model, (name, shape) => generatedParameter(name, shape, context.seed));
  using optimizer = makeOptimizer(arena, optimizerOptions);
  const reader = new ParameterReader(model);
  const rate = exponentialDecay(optimizerOptions.lr, sizes.decay, 1);
  const trace = new Trace();
  context.exempt(sizes.exempt_params);
  for (let step = 0; step < steps; step++) {
    arena.zeroGrad();
    await traceLosses(trace, forwardAndBack(context, model, sizes, step));
    if (step === 0) await checkGradientSummary(context, (name) => reader.gradient(name));
    const norms: number[] = [];
    for (const name of names) norms.push(norm(await reader.gradient(name)));
    trace.push('grad_norm', [names.length], norms);
    optimizer.step({ learningRate: rate(step) });
    await traceParameters(trace, reader, names);
    await traceRunningNorms(trace, model);
  }
  trace.check(context, steps);
};

export const runners: CaseRunners = { train_trace: trainTrace };
