import { z } from 'zod';
import { PHANTOM_AUGMENTATION, RADIOGRAPH_AUGMENTATION } from '../data/augment.ts';
import { bertBaseConfig } from '../models/bert.ts';
import { defaultObjective, objectives } from '../models/objective.ts';
import { resNet50Config } from '../models/resnet.ts';
import { ConfigError } from './errors.ts';

const count = z.number().int().positive();
const fraction = z.number().min(0).max(1);

const visualSchema = z.strictObject({
  inChannels: z.union([z.literal(1), z.literal(3)]),
  centredStart: z.number().min(1).optional(),
  stem: z.strictObject({ channels: count, kernel: count, stride: count, maxPool: z.boolean() }),
  stages: z
    .array(z.strictObject({ blocks: count, width: count, stride: count, dilation: count.optional() }))
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
  z.strictObject({ kind: z.literal('folder'), path: z.string(), seed: z.number().int().nonnegative().exactOptional() }),
]);

/** Everything that decides a training run; saved as `config.json` in the run folder. */
export const runConfigSchema = z.strictObject({
  preset: z.string(),
  seed: z.number().int().nonnegative(),
  data: dataSchema,
  imageSize: count,
  maxTokens: z.number().int().min(4).max(512),
  /** Most sentences of a report; later ones are dropped. Absent = as many as fit. */
  maxSentences: count.exactOptional(),
  /** Path of a `vocab.txt`; without one a vocabulary is built from the training texts. */
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
  /** Safetensors files with published weights to start from. */
  weights: z.strictObject({ visual: z.string().optional(), text: z.string().optional() }),
  /** Text layers that keep their weights: the embeddings, and the first `layers` encoder layers. */
  frozen: z.strictObject({ embeddings: z.boolean(), layers: z.number().int().nonnegative() }),
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
  batchSize: count,
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

export type RunConfig = z.infer<typeof runConfigSchema>;

const phantomText = {
  vocabulary: 1,
  hidden: 64,
  layers: 2,
  heads: 4,
  intermediate: 128,
  maxPositions: 96,
  tokenTypes: 2,
  dropout: 0,
  eps: 1e-12,
  pooler: false,
};

const shared = {
  seed: 0,
  lowerCase: true,
  splitter: 'clinical' as const,
  weights: {},
  frozen: { embeddings: false, layers: 0 },
};

const adam = {
  name: 'adam' as const,
  betas: [0.9, 0.999] as [number, number],
  eps: 1e-8,
  weightDecay: 0,
  momentum: 0.9,
};

/** Learns from synthetic radiographs within minutes on two CPU cores. */
const phantomMini: RunConfig = {
  ...shared,
  preset: 'phantom-mini',
  data: { kind: 'phantom', count: 5000, size: 64, seed: 0, splits: { train: 0.9, validation: 0.03, test: 0.07 } },
  imageSize: 64,
  maxTokens: 64,
  maxSentences: 6,
  augment: { ...PHANTOM_AUGMENTATION },
  model: {
    visual: {
      inChannels: 1,
      centredStart: 3,
      stem: { channels: 16, kernel: 4, stride: 2, maxPool: false },
      // Dilation lets a 4-pixel cell see most of the chest: what it means depends on where in the body it is.
      stages: [
        { blocks: 1, width: 24, stride: 2 },
        { blocks: 1, width: 24, stride: 1, dilation: 2 },
        { blocks: 1, width: 24, stride: 1, dilation: 4 },
      ],
    },
    localStage: 3,
    text: { ...phantomText, layers: 1 },
    dimension: 64,
  },
  objective: { ...defaultObjective, tau2: 0.25 },
  optimizer: { ...adam, clip: 1 },
  schedule: { name: 'one-cycle', learningRate: 3e-3, warmup: 0.1, gamma: 1 },
  batchSize: 16,
  steps: 1000,
  checkpointEvery: 100,
  validateEvery: 250,
  evaluateImages: 150,
  sigma: 1,
};

/** The same task with twice the data, a wider and deeper tower, a deeper text model and more steps. */
const phantom: RunConfig = {
  ...phantomMini,
  preset: 'phantom',
  data: { kind: 'phantom', count: 12_000, size: 64, seed: 0, splits: { train: 0.93, validation: 0.02, test: 0.05 } },
  model: {
    ...phantomMini.model,
    localStage: 4,
    text: phantomText,
    visual: {
      inChannels: 1,
      centredStart: 1.5,
      stem: { channels: 24, kernel: 4, stride: 2, maxPool: false },
      stages: [
        { blocks: 1, width: 16, stride: 1 },
        { blocks: 1, width: 32, stride: 2 },
        { blocks: 1, width: 32, stride: 1, dilation: 2 },
        { blocks: 1, width: 32, stride: 1, dilation: 4 },
      ],
    },
  },
  steps: 4000,
  evaluateImages: 400,
};

/** The paper's setting: section 3.2. */
const paper: RunConfig = {
  ...shared,
  preset: 'paper',
  data: { kind: 'folder', path: '' },
  imageSize: 224,
  maxTokens: 128,
  augment: { ...RADIOGRAPH_AUGMENTATION },
  model: {
    visual: resNet50Config as RunConfig['model']['visual'],
    localStage: 3,
    text: bertBaseConfig,
    dimension: 768,
  },
  objective: defaultObjective,
  optimizer: adam,
  schedule: { name: 'exponential', learningRate: 2e-5, warmup: 0, gamma: 0.9 },
  batchSize: 128,
  epochs: 4,
  checkpointEvery: 200,
  validateEvery: 200,
  evaluateImages: 400,
  sigma: 1.5,
};

export const presets: Readonly<Record<string, RunConfig>> = { 'phantom-mini': phantomMini, phantom, paper };

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
