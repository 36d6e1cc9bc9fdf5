import { encodePhrase } from '../../../src/data/text/encode.ts';
import { unreadableWords, wordsOf } from '../../../src/data/text/phraseWords.ts';
import type { GrayImage } from '../../../src/data/types.ts';
import type { Localization } from '../../../src/eval/localizer.ts';
import type { PresenceCalibration } from '../../../src/eval/presence.ts';
import { describeAdapter } from '../../../src/gpu/adapter.ts';
import type { MemoryReport } from '../../../src/gpu/buffers.ts';
import { GpuError } from '../../../src/gpu/errors.ts';
import type { RunConfig } from '../../../src/train/config.ts';
import type { OpenedImage } from '../images.ts';
import {
  type Checkpoint,
  type CheckpointFiles,
  fetchCheckpoint,
  parseCheckpoint,
  readCheckpoint,
} from './checkpoint.ts';
import { Engine } from './engine.ts';
import { openImage, pageCodecs } from './openImage.ts';

/** What the page knows of the model that the worker holds. */
export interface Model {
  readonly name: string;
  readonly config: RunConfig;
  /** Decides between present and absent. */
  readonly calibration: PresenceCalibration | undefined;
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
  private engine: Engine | undefined;
  private checkpoint: Checkpoint | undefined;
  private tellLoss: (reason: string) => void = () => undefined;

  /** `tell` is called when the device is lost, with the browser's reason. */
  whenLost(tell: (reason: string) => void): void {
    this.tellLoss = tell;
  }

  /** Opens the checkpoint in a folder of the page's server. @param folder its address, with a slash at its end. */
  async openShipped(folder: string): Promise<Model> {
    return this.use(await fetchCheckpoint(folder));
  }

  /** Opens a model from the files that a person chose. The model before stays if they cannot be used. */
  async openModel(files: readonly File[]): Promise<Model> {
    return this.use(await readCheckpoint(files));
  }

  async openTrained(name: string, files: CheckpointFiles): Promise<Model> {
    return this.use(parseCheckpoint(name, files));
  }

  /** The opened model, as the files of a run folder. */
  files(): CheckpointFiles {
    return this.ready().checkpoint.files;
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

  /** Looks for phrases in an image that is not kept. */
  findIn(image: GrayImage, phrases: readonly string[]): Promise<readonly Localization[]> {
    return this.ready().engine.findIn(image, phrases);
  }

  isLost(): boolean {
    return this.engine?.gpu.isLost ?? false;
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

  private async use(next: Checkpoint): Promise<Model> {
    const before = this.engine;
    const shared = before && !before.gpu.isLost ? before.gpu : undefined;
    const opening = await Engine.open(next, shared);
    if (shared) before?.release();
    else before?.dispose();
    this.engine = opening;
    this.checkpoint = next;
    if (!shared) {
      opening.gpu.onDeviceLost(({ message }) => {
        if (this.engine?.gpu === opening.gpu) this.tellLoss(message);
      });
    }
    const { name, config, calibration } = next;
    return { name, config, calibration };
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
