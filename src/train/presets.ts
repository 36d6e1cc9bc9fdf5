import { PHANTOM_AUGMENTATION, RADIOGRAPH_AUGMENTATION } from '../data/augment.ts';
import { bertBaseConfig } from '../models/bert.ts';
import { defaultObjective } from '../models/objective.ts';
import { resNet50Config } from '../models/resnet.ts';
import type { RunConfig } from './config.ts';

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
  checkpointing: 'none' as const,
  precision: 'f32' as const,
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
      centredStart: 1.5,
      // A cell that knows where it lies need not see the rest of the chest, and what it cannot see it cannot claim.
      coordinates: true,
      stem: { channels: 16, kernel: 4, stride: 2, maxPool: false },
      stages: [
        { blocks: 1, width: 24, stride: 2 },
        { blocks: 1, width: 24, stride: 1 },
        { blocks: 1, width: 24, stride: 1 },
      ],
    },
    localStage: 3,
    text: { ...phantomText, layers: 1 },
    dimension: 64,
  },
  objective: { ...defaultObjective, tau2: 0.12 },
  optimizer: { ...adam, clip: 1 },
  schedule: { name: 'one-cycle', learningRate: 3e-3, warmup: 0.1, gamma: 1 },
  batchSize: 16,
  steps: 1250,
  checkpointEvery: 100,
  validateEvery: 250,
  evaluateImages: 150,
  sigma: 1,
};

/**
 * The same task with twice the data, a wider and deeper tower that sees most of the chest, a deeper text model and more
 * steps: a sharp attention finds the place first, a softer one then covers the finding.
 */
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
      coordinates: true,
      stem: { channels: 24, kernel: 4, stride: 2, maxPool: false },
      stages: [
        { blocks: 1, width: 16, stride: 1 },
        { blocks: 1, width: 32, stride: 2 },
        { blocks: 1, width: 32, stride: 1, dilation: 2 },
        { blocks: 1, width: 32, stride: 1, dilation: 4 },
      ],
    },
  },
  finish: { share: 0.111, tau2: 0.3, learningRate: 1e-4 },
  steps: 4500,
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
  chunkSize: 16,
  epochs: 4,
  checkpointEvery: 200,
  validateEvery: 200,
  evaluateImages: 400,
  sigma: 1.5,
};

/** Configurations by name: `phantom-mini` (minutes on a CPU), `phantom`, and `paper` (as published). */
export const presets: Readonly<Record<string, RunConfig>> = { 'phantom-mini': phantomMini, phantom, paper };
