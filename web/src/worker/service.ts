import type { Annotation } from '../../../src/data/annotations/annotation.ts';
import { encodePhrase } from '../../../src/data/text/encode.ts';
import { unreadableWords, wordsOf } from '../../../src/data/text/phraseWords.ts';
import type { GrayImage } from '../../../src/data/types.ts';
import type { Localization } from '../../../src/eval/localizer.ts';
import type { PresenceCalibration } from '../../../src/eval/presence.ts';
import { describeAdapter } from '../../../src/gpu/adapter.ts';
import type { MemoryReport } from '../../../src/gpu/buffers.ts';
import { createGpu } from '../../../src/gpu/create.ts';
import { GpuError } from '../../../src/gpu/errors.ts';
import type { Gpu } from '../../../src/gpu/gpu.ts';
import { recover } from '../../../src/kernels/recover.ts';
import type { RunConfig } from '../../../src/train/config.ts';
import type { OpenedImage, TruthFinding } from '../images.ts';
import { type Checkpoint, fetchCheckpoint } from './checkpoint.ts';
import { Engine } from './engine.ts';
import { openingError } from './givenFiles.ts';
import { type FileFindings, type FileTask, localizeFile } from './localizeFile.ts';
import { type ModelSource, openSource, sourceBytes } from './modelSource.ts';
import { openImage, pageCodecs } from './openImage.ts';
import { type Trace, traceQuestion } from './trace.ts';
import { openAnnotations, openTruth, type TruthImage } from './truth.ts';

/** What the page knows of the model that the worker holds. */
export interface Model {
  readonly name: string;
  readonly config: RunConfig;
  /** Decides between present and absent. */
  readonly calibration: PresenceCalibration | undefined;
  /** Why its maps say nothing, where the model is not trained. */
  readonly untrained: string | undefined;
}

/** Where a phrase was found, and what a person should know of the phrase: words that the model cannot read. */
export interface Found {
  readonly localization: Localization;
  readonly note: string;
}

export interface DeviceReport {
  readonly adapter: string;
  readonly isSoftware: boolean;
  readonly memory: MemoryReport;
  readonly limits: Readonly<Record<(typeof reportedLimits)[number], number>>;
  readonly features: readonly string[];
}

const reportedLimits = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupStorageSize',
] as const;

/** What the page asks of its worker; everything that goes in and out can be cloned. Calls must not overlap. */
export class EngineService {
  private gpu: Gpu | undefined;
  private engine: Engine | undefined;
  private checkpoint: Checkpoint | undefined;
  private source: ModelSource | undefined;
  private tellLoss: (reason: string) => void = () => undefined;

  /** `tell` is called when the device is lost, with the browser's reason. */
  whenLost(tell: (reason: string) => void): void {
    this.tellLoss = tell;
  }

  /** Opens the checkpoint in a folder of the page's server. @param folder its address, with a slash at its end. */
  async openShipped(folder: string): Promise<Model> {
    return this.open({ name: folder.split('/').at(-2) ?? folder, run: await fetchCheckpoint(folder) });
  }

  /** Opens a model that a person gave or trained. The model before stays if it cannot be used. */
  async open(source: ModelSource): Promise<Model> {
    try {
      const model = await this.use(await openSource(source));
      this.source = source;
      return model;
    } catch (error) {
      throw openingError(error, sourceBytes(source));
    }
  }

  /** Where the opened model comes from. */
  opened(): ModelSource {
    if (!this.source) throw new GpuError('The model is not ready yet.');
    return this.source;
  }

  /** Opens the same model on another device. */
  async restart(): Promise<void> {
    if (!this.checkpoint) throw new GpuError('The model is not ready yet.');
    await this.use(this.checkpoint);
  }

  /** Fetches what is needed for images of other kinds, so that nothing is fetched later. */
  async loadDecoders(): Promise<void> {
    await pageCodecs();
  }

  openImage(file: File): Promise<OpenedImage> {
    return openImage(file);
  }

  /** Encodes the image that phrases are looked for in from now on. */
  setImage(image: GrayImage): Promise<void> {
    return this.ready().engine.setImage(image);
  }

  async find(phrase: string): Promise<Found> {
    const { engine, checkpoint } = this.ready();
    return { localization: await engine.find(phrase), note: noteOn(phrase, checkpoint) };
  }

  /** Looks for phrases in one of many images, which is not kept. */
  localizeFile(task: FileTask): Promise<FileFindings> {
    const { engine, checkpoint } = this.ready();
    return localizeFile(task, engine, checkpoint);
  }

  /** Reads masks and annotations of an image. */
  openTruth(files: readonly File[], image: TruthImage): Promise<TruthFinding[]> {
    return openTruth(files, image);
  }

  /** What a table or JSON says of images; undefined where it is of another kind. */
  openAnnotations(file: File): Promise<Annotation[] | undefined> {
    return openAnnotations(file);
  }

  /** Where the GPU time of a question goes. @throws GpuError if the device has no timestamp queries. */
  trace(image: GrayImage, phrase: string): Promise<Trace> {
    return traceQuestion(this.ready().engine, image, phrase);
  }

  isLost(): boolean {
    return this.gpu?.isLost ?? false;
  }

  report(): DeviceReport {
    const { gpu } = this.ready().engine;
    const { adapter, device } = gpu;
    return {
      adapter: describeAdapter(adapter),
      isSoftware: adapter.kind === 'software',
      memory: gpu.memoryReport(),
      limits: Object.fromEntries(reportedLimits.map((name) => [name, device.limits[name]])) as DeviceReport['limits'],
      features: [...device.features].sort(),
    };
  }

  private ready(): { engine: Engine; checkpoint: Checkpoint } {
    const { engine, checkpoint } = this;
    if (!engine || !checkpoint) throw new GpuError('The model is not ready yet.');
    return { engine, checkpoint };
  }

  /** The device in use, or another in place of one that is lost. @throws GpuError where there is no WebGPU. */
  private async device(): Promise<Gpu> {
    const { gpu } = this;
    if (gpu && !gpu.isLost) return gpu;
    const fresh = gpu ? await recover(gpu) : await createGpu();
    fresh.onDeviceLost(({ message }) => {
      if (this.gpu === fresh) this.tellLoss(message);
    });
    this.gpu = fresh;
    return fresh;
  }

  private async use(next: Checkpoint): Promise<Model> {
    const opening = await Engine.open(await this.device(), next);
    this.engine?.dispose();
    this.engine = opening;
    this.checkpoint = next;
    const { name, config, calibration, untrained } = next;
    return { name, config, calibration, untrained };
  }
}

/** Words that the model cannot read, and text that it does not see. */
function noteOn(phrase: string, { tokenizer, config }: Checkpoint): string {
  const unknown = unreadableWords(phrase, tokenizer);
  if (unknown.length === wordsOf(phrase).length) {
    return 'The model knows no word of this phrase, so its map says nothing about it.';
  }
  const notes: string[] = [];
  if (unknown.length > 0) notes.push(`The model does not know: ${unknown.join(', ')}.`);
  const whole = encodePhrase(phrase, tokenizer, { maxTokens: 4096 }).ids.length;
  if (whole > config.maxTokens) notes.push('The phrase is too long; the model reads only its beginning.');
  return notes.join(' ');
}
