/**
 * The public entry `groundray/models`: encoders, the grounding model with its losses, and published systems.
 * @module groundray/models
 */

export {
  type GlobalContrast,
  type GlobalContrastOptions,
  globalContrast,
  type LocalContrast,
  type LocalContrastOptions,
  localContrast,
  phraseSimilarity,
} from './autograd/ops/contrastive.ts';
export { type PoolSentencesOptions, poolSentences, type SentenceEmbeddings } from './autograd/ops/poolSentences.ts';
export { type BertConfig, BertEncoder, type BertFeatures, bertBaseConfig } from './models/bert.ts';
export {
  type GroundingConfig,
  GroundingModel,
  type ImageFeatures,
  type PooledUnits,
  type TextUnits,
} from './models/grounding.ts';
export {
  contrastiveObjective,
  defaultObjective,
  type ObjectiveConfig,
  type ObjectiveLosses,
  type PairBatch,
} from './models/objective.ts';
export {
  ResNet,
  type ResNetConfig,
  type ResNetFeatures,
  type ResNetStage,
  resNet50Config,
  resNetConfig,
} from './models/resnet.ts';
export { type BioVil, loadBioVil } from './models/systems/bioVil.ts';
export { loadGloria } from './models/systems/gloria.ts';
export { loadMedKlip, type MedKlip } from './models/systems/medKlip.ts';
export type { LoadedSystem, WeightFile } from './models/systems/published.ts';
