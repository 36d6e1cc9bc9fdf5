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
import { chromeTrace, type KernelTime, type ProfiledDispatch, rollUp } from '../../../src/gpu/profile.ts';
import { recover } from '../../../src/kernels/recover.ts';
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

/** Where the GPU time of one question goes. */
export interface Trace {
  readonly phrase: string;
  /** Longest first. */
  readonly kernels: readonly KernelTime[];
  readonly dispatches: number;
  readonly ms: number;
  /** Microseconds to which the browser rounds these times. */
  readonly tickUs: number;
  /** For a trace viewer, see `chromeTrace`. */
  readonly json: string;
}

/** The largest number of nanoseconds that divides all times, in microseconds. */
function tickOf(dispatches: readonly ProfiledDispatch[]): number {
  let tick = 0;
  for (const { us } of dispatches) {
    let rest = Math.round(1000 * us);
    while (rest > 0) [tick, rest] = [rest, tick % rest];
  }
  return tick / 1000;
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

  /** @throws GpuError if the device has no timestamp queries. */
  async trace(image: GrayImage, phrase: string): Promise<Trace> {
    const dispatches = await this.ready().engine.trace(image, phrase);
    const kernels = rollUp(dispatches, 'kernel');
    const ms = kernels.reduce((sum, kernel) => sum + kernel.ms, 0);
    const json = chromeTrace(dispatches);
    return { phrase, kernels, dispatches: dispatches.length, ms, tickUs: tickOf(dispatches), json };
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
