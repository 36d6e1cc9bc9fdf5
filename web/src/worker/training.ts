import { type BatchSource, createBatchSource } from '../../../src/data/batches.ts';
import { phantomDataset } from '../../../src/data/phantom/dataset.ts';
import { phantomVocabulary } from '../../../src/data/phantom/vocabulary.ts';
import { createTokenizer, type WordPieceTokenizer } from '../../../src/data/text/tokenizer.ts';
import type { GrayImage } from '../../../src/data/types.ts';
import type { Localization } from '../../../src/eval/localizer.ts';
import { ModelLocalizer } from '../../../src/eval/modelLocalizer.ts';
import type { Gpu } from '../../../src/gpu/gpu.ts';
import { writeSafetensors } from '../../../src/io/safetensors.ts';
import type { RunConfig } from '../../../src/train/config.ts';
import { presets } from '../../../src/train/presets.ts';
import type { StepMetrics } from '../../../src/train/stepMetrics.ts';
import { Trainer } from '../../../src/train/trainer.ts';
import type { CheckpointFiles } from './checkpoint.ts';

/** Fewer phantoms than on the command line: they are drawn in the page, and seen again in every epoch. */
const phantoms = 1200;

/** A run of `phantom-mini` in the page. Calls must not overlap with each other or with an engine on the same device. */
export class PageTraining {
  readonly config: RunConfig;
  readonly steps: number;
  private readonly gpu: Gpu;
  private readonly tokenizer: WordPieceTokenizer;
  private readonly source: BatchSource;
  private readonly trainer: Trainer;
  private done = 0;

  constructor(gpu: Gpu, steps: number) {
    const preset = presets['phantom-mini'];
    if (!preset) throw new Error('The preset phantom-mini is missing.');
    const vocabulary = phantomVocabulary();
    const { model } = preset;
    this.config = {
      ...preset,
      data: { kind: 'phantom', count: phantoms, size: preset.imageSize, seed: 0 },
      steps,
      model: { ...model, text: { ...model.text, vocabulary: vocabulary.length } },
    };
    const { config } = this;
    this.gpu = gpu;
    this.steps = steps;
    this.tokenizer = createTokenizer({ vocabulary, lowerCase: config.lowerCase });
    this.source = createBatchSource(phantomDataset({ count: phantoms, size: config.imageSize }), this.tokenizer, {
      ...{ split: 'train', batchSize: config.batchSize, imageSize: config.imageSize, maxTokens: config.maxTokens },
      ...{ splitter: config.splitter, seed: config.seed, augment: config.augment },
      ...(config.maxSentences === undefined ? {} : { maxSentences: config.maxSentences }),
      ...(config.keepSentences === undefined ? {} : { keepSentences: config.keepSentences }),
    });
    this.trainer = new Trainer(gpu, config, steps, this.source.stepsPerEpoch);
  }

  /** One optimizer step. */
  async step(): Promise<StepMetrics> {
    const { stepsPerEpoch } = this.source;
    const batch = await this.source.batch(Math.floor(this.done / stepsPerEpoch), this.done % stepsPerEpoch);
    const metrics = await this.trainer.step(batch, this.done);
    this.done += 1;
    return metrics;
  }

  /** Where the model, as it is now, finds a phrase. */
  async find(image: GrayImage, phrase: string): Promise<Localization> {
    // A new localizer each time: it keeps embeddings, and those change.
    const localizer = new ModelLocalizer(this.gpu, this.trainer.model, this.tokenizer, this.config);
    const [found] = await localizer.localize(image, [phrase]);
    if (!found) throw new Error('The localizer gave no result.');
    return found;
  }

  /** The model as it is now, as the files of a run folder. */
  async files(): Promise<CheckpointFiles> {
    const bytes = writeSafetensors(await this.trainer.arena.state(), { format: 'pt' });
    return {
      weights: { name: 'model.safetensors', bytes: bytes.buffer },
      config: `${JSON.stringify({ ...this.config, steps: this.done }, null, 2)}\n`,
      vocabulary: `${this.tokenizer.spec.vocabulary.join('\n')}\n`,
    };
  }
}
