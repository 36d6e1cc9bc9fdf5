import { type BatchSource, createBatchSource } from '../../../src/data/batches.ts';
import { phantomDataset } from '../../../src/data/phantom/dataset.ts';
import { phantomVocabulary } from '../../../src/data/phantom/vocabulary.ts';
import { createTokenizer, type WordPieceTokenizer } from '../../../src/data/text/tokenizer.ts';
import type { Batch, GrayImage } from '../../../src/data/types.ts';
import type { Localization } from '../../../src/eval/localizer.ts';
import { ModelLocalizer } from '../../../src/eval/modelLocalizer.ts';
import type { Gpu } from '../../../src/gpu/gpu.ts';
import { writeSafetensors } from '../../../src/io/safetensors.ts';
import { TensorFile } from '../../../src/io/tensorFile.ts';
import { loadStateDict } from '../../../src/nn/checkpoint.ts';
import { checkpointContents, progressOf, restoreCheckpoint } from '../../../src/train/checkpoint.ts';
import type { RunConfig } from '../../../src/train/config.ts';
import { presets } from '../../../src/train/presets.ts';
import type { StepMetrics } from '../../../src/train/stepMetrics.ts';
import { Trainer } from '../../../src/train/trainer.ts';
import type { Checkpoint, CheckpointFiles } from './checkpoint.ts';

/** Fewer phantoms than on the command line: they are drawn in the page, and seen again in every epoch. */
const phantoms = 1200;
/** Larger batches would make a step of a large model long, and need more memory than many graphics cards have. */
const mostImages = 16;

/** What a run needs to begin. */
interface Setup {
  readonly config: RunConfig;
  readonly tokenizer: WordPieceTokenizer;
}

/** A new model of the preset `phantom-mini`. */
function freshSetup(steps: number): Setup {
  const preset = presets['phantom-mini'];
  if (!preset) throw new Error('The preset phantom-mini is missing.');
  const vocabulary = phantomVocabulary();
  const { model } = preset;
  const config = { ...preset, model: { ...model, text: { ...model.text, vocabulary: vocabulary.length } } };
  return { config: onPhantoms(config, steps), tokenizer: createTokenizer({ vocabulary, lowerCase: config.lowerCase }) };
}

/** The same model, trained on phantoms of its size in batches that fit into a page. */
function onPhantoms(config: RunConfig, steps: number): RunConfig {
  const { chunkSize: _, epochs: __, ...kept } = config;
  const data = { kind: 'phantom', count: phantoms, size: config.imageSize, seed: 0 } as const;
  return { ...kept, data, steps, batchSize: Math.min(mostImages, config.batchSize) };
}

function isPageRun({ data }: RunConfig): boolean {
  return data.kind === 'phantom' && data.count === phantoms;
}

/** A run on phantoms in the page. Calls must not overlap with each other or with an engine on the same device. */
export class PageTraining {
  readonly config: RunConfig;
  readonly steps: number;
  /** Steps taken. */
  done = 0;
  private readonly gpu: Gpu;
  private readonly tokenizer: WordPieceTokenizer;
  private readonly source: BatchSource;
  private readonly trainer: Trainer;
  /** Of the next step. */
  private next: Promise<Batch> | undefined;

  private constructor(gpu: Gpu, { config, tokenizer }: Setup) {
    this.config = config;
    this.steps = config.steps ?? 0;
    this.gpu = gpu;
    this.tokenizer = tokenizer;
    this.source = createBatchSource(phantomDataset({ count: phantoms, size: config.imageSize }), tokenizer, {
      ...{ split: 'train', batchSize: config.batchSize, imageSize: config.imageSize, maxTokens: config.maxTokens },
      ...{ splitter: config.splitter, seed: config.seed, augment: config.augment },
      ...(config.maxSentences === undefined ? {} : { maxSentences: config.maxSentences }),
      ...(config.keepSentences === undefined ? {} : { keepSentences: config.keepSentences }),
    });
    this.trainer = new Trainer(gpu, config, this.steps, this.source.stepsPerEpoch);
  }

  /**
   * @param from Where to start: the optimizer and the step of a run of the page that was saved before its end are taken
   * over, of any other model the weights. Without it a new model is made.
   */
  static async open(gpu: Gpu, steps: number, from?: Checkpoint): Promise<PageTraining> {
    if (!from) return new PageTraining(gpu, freshSetup(steps));
    const { config, tokenizer, weights } = from;
    const saved = weights instanceof TensorFile ? weights : undefined;
    const step = (saved && progressOf(saved.metadata)?.step) ?? 0;
    if (saved && isPageRun(config) && step > 0 && step < (config.steps ?? 0)) {
      const training = new PageTraining(gpu, from);
      training.done = restoreCheckpoint(saved, training.trainer.arena, training.trainer.optimizer).step;
      return training;
    }
    const training = new PageTraining(gpu, { config: onPhantoms(config, steps), tokenizer });
    await loadStateDict(training.trainer.arena, weights, { strict: true, ignore: [/^optimizer\./] });
    return training;
  }

  /** One optimizer step. While the GPU computes it, the next batch is drawn. */
  async step(): Promise<StepMetrics> {
    const batch = await (this.next ?? this.batch());
    const metrics = this.trainer.step(batch, this.done);
    this.done += 1;
    this.next = this.batch();
    this.next.catch(() => undefined);
    return metrics;
  }

  private batch(): Promise<Batch> {
    const { stepsPerEpoch } = this.source;
    return this.source.batch(Math.floor(this.done / stepsPerEpoch), this.done % stepsPerEpoch);
  }

  /** Where the model, as it is now, finds a phrase. */
  async find(image: GrayImage, phrase: string): Promise<Localization> {
    // A new localizer each time: it keeps embeddings, and those change.
    const localizer = new ModelLocalizer(this.gpu, this.trainer.model, this.tokenizer, this.config);
    const [found] = await localizer.localize(image, [phrase]);
    if (!found) throw new Error('The localizer gave no result.');
    return found;
  }

  /** The run as it is now, as the files of a run folder; the command line can go on with it too. */
  async files(): Promise<CheckpointFiles> {
    const progress = { step: this.done, bestValidation: null };
    const { tensors, metadata } = await checkpointContents(this.trainer.arena, this.trainer.optimizer, progress);
    return {
      weights: { name: 'checkpoint.safetensors', bytes: writeSafetensors(tensors, metadata).buffer },
      config: `${JSON.stringify(this.config, null, 2)}\n`,
      vocabulary: `${this.tokenizer.spec.vocabulary.join('\n')}\n`,
    };
  }
}
