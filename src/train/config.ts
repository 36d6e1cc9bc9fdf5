import * as z from 'zod';
import { sectionChoices, viewChoices } from '../data/corpora/filters.ts';
import { objectives } from '../models/objective.ts';
import { ConfigError } from './errors.ts';

const count = z.number().int().positive();
const fraction = z.number().min(0).max(1);

const visualSchema = z.strictObject({
  inChannels: z.union([z.literal(1), z.literal(3)]),
  centredStart: z.number().min(1).optional(),
  coordinates: z.boolean().optional(),
  stem: z.strictObject({ channels: count, kernel: count, stride: count, maxPool: z.boolean() }),
  stages: z
    .array(
      z.strictObject({
        ...{ blocks: count, width: count, stride: count },
        ...{ channels: count.optional(), dilation: count.optional() },
      }),
    )
    .min(1)
    .max(4),
});

const textSchema = z.strictObject({
  /** Filled in from the vocabulary when the run starts. */
  vocabulary: count,
  hidden: count,
  layers: z.number().int().nonnegative(),
  heads: count,
  intermediate: count,
  maxPositions: count,
  tokenTypes: count,
  dropout: fraction,
  eps: z.number().positive(),
  pooler: z.boolean(),
});

const dataSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('phantom'),
    /** Studies over all splits, and the seed they are drawn from. */
    count,
    size: count,
    seed: z.number().int().nonnegative(),
    splits: z.strictObject({ train: fraction, validation: fraction, test: fraction }).exactOptional(),
  }),
  z.strictObject({ kind: z.literal('shards'), path: z.string() }),
  z.strictObject({ kind: z.literal('folder'), path: z.string(), seed: z.number().int().nonnegative().exactOptional() }),
  /** A public corpus as it is distributed; see `corpusNames`. */
  z.strictObject({
    kind: z.literal('corpus'),
    name: z.string().min(1),
    root: z.string().min(1),
    images: z.string().exactOptional(),
    reports: z.string().exactOptional(),
    splitFile: z.string().exactOptional(),
    checkImages: z.boolean().exactOptional(),
    views: z.enum(viewChoices).exactOptional(),
    minWords: z.number().int().nonnegative().exactOptional(),
    sections: z.enum(sectionChoices).exactOptional(),
  }),
  /** What `groundray index` wrote. */
  z.strictObject({ kind: z.literal('index'), path: z.string().min(1) }),
]);

const fields = z.strictObject({
  preset: z.string(),
  seed: z.number().int().nonnegative(),
  data: dataSchema,
  imageSize: count,
  maxTokens: z.number().int().min(4).max(512),
  /** Most sentences of a report; later ones are dropped. Absent = as many as fit. */
  maxSentences: count.exactOptional(),
  /** Path of a `vocab.txt`, or the name of fetched weights that have one; without a vocabulary is built from the training texts. */
  vocabulary: z.string().optional(),
  lowerCase: z.boolean(),
  splitter: z.enum(['clinical', 'gloria']),
  /** Train-time changes of image and text; false switches the image's off. */
  augment: z.union([
    z.literal(false),
    z.strictObject({
      resizeRatio: z.number().min(1),
      rotation: z.number().nonnegative(),
      shift: fraction,
      brightness: fraction,
      contrast: fraction,
    }),
  ]),
  keepSentences: fraction.exactOptional(),
  model: z.strictObject({
    visual: visualSchema,
    localStage: count,
    text: textSchema,
    dimension: count,
    upsample: count.optional(),
  }),
  /** Published weights to start from: files, or names that `groundray weights fetch` knows. */
  weights: z.strictObject({
    visual: z.string().optional(),
    text: z.string().optional(),
    /** Tensors that the files lack keep their random start. False by default: that is nearly always a mistake. */
    allowMissing: z.boolean().exactOptional(),
  }),
  frozen: z.strictObject({
    /** Text layers that keep their weights: the embeddings, and the first `layers` encoder layers. */
    embeddings: z.boolean(),
    layers: z.number().int().nonnegative(),
    /** Batch norms use the running statistics of their start weights and leave them; gain and offset are trained. */
    batchNorm: z.boolean().exactOptional(),
  }),
  objective: z.strictObject({
    objective: z.enum(objectives),
    tau1: z.number().positive(),
    tau2: z.number().positive(),
    tau3: z.number().positive(),
    attention: z.enum(['cosine', 'dot']),
    unitRegions: z.boolean(),
    normalization: z.enum(['regions', 'sentences_regions']),
    aggregation: z.enum(['sum', 'mean']),
    globalWeight: z.number().nonnegative(),
    localWeight: z.number().nonnegative(),
    duplicates: z.enum(['keep', 'mask']),
  }),
  optimizer: z.strictObject({
    name: z.enum(['adam', 'adamw', 'sgd']),
    betas: z.tuple([fraction, fraction]),
    eps: z.number().positive(),
    weightDecay: z.number().nonnegative(),
    momentum: fraction,
    /** Largest global norm of the gradient; absent = no clipping. */
    clip: z.number().positive().optional(),
  }),
  schedule: z.strictObject({
    name: z.enum(['constant', 'exponential', 'one-cycle']),
    learningRate: z.number().positive(),
    /** Share of the steps in which the rate rises linearly from 0. */
    warmup: fraction,
    /** Factor per epoch of the exponential schedule. */
    gamma: fraction,
  }),
  /**
   * The last `share` of the steps has another temperature of the attention over regions, and a rate that falls linearly
   * to 0; the schedule spans the others. Absent = the same throughout.
   */
  finish: z
    .strictObject({ share: z.number().min(0).lt(1), tau2: z.number().positive(), learningRate: z.number().positive() })
    .exactOptional(),
  batchSize: count,
  /** Most pairs that the towers encode at a time (GradCache); absent = the whole batch at once. */
  chunkSize: count.exactOptional(),
  /** `blocks` computes bottlenecks and encoder layers again in the backward pass instead of keeping what they made. */
  checkpointing: z.enum(['none', 'blocks']).default('none'),
  /** `mixed` keeps the towers' activations in f16, which takes half the memory; parameters and losses stay f32. */
  precision: z.enum(['f32', 'mixed']).default('f32'),
  /** Optimizer steps; with `epochs` instead, as many as those have. */
  steps: count.optional(),
  epochs: count.optional(),
  checkpointEvery: count,
  validateEvery: count,
  /** Test images of the evaluation after training; 0 skips it. */
  evaluateImages: z.number().int().nonnegative(),
  /** Grid cells of the Gaussian that smooths maps at evaluation. */
  sigma: z.number().positive(),
});

/** Everything that decides a training run; saved as `config.json` in the run folder. */
export const runConfigSchema = fields.superRefine(({ chunkSize, batchSize }, context) => {
  if (chunkSize === undefined || chunkSize <= batchSize) return;
  const message = `a chunk of ${chunkSize} is larger than the batch of ${batchSize}; choose at most ${batchSize}, or leave it out`;
  context.addIssue({ code: 'custom', path: ['chunkSize'], message });
});

/** Everything that decides a training run. */
export type RunConfig = z.infer<typeof runConfigSchema>;

/** Checks a configuration. @throws ConfigError that names the field, what is expected and what was found. */
export function parseRunConfig(value: unknown, source: string): RunConfig {
  const result = runConfigSchema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const field = issue?.path.join('.') || 'the file';
  throw new ConfigError(`${source}: ${field}: ${issue?.message ?? 'is not valid'}.`);
}

/** Puts the fields of `changes` over those of `base`, object by object; arrays and other values are replaced. */
export function mergeConfig(base: unknown, changes: unknown): unknown {
  const isRecord = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isRecord(base) || !isRecord(changes)) return changes === undefined ? base : changes;
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(changes)) merged[key] = mergeConfig(base[key], value);
  return merged;
}
