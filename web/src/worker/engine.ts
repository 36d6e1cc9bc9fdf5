import type { GrayImage } from '../../../src/data/types.ts';
import type { Localization } from '../../../src/eval/localizer.ts';
import { type EncodedImage, ModelLocalizer } from '../../../src/eval/modelLocalizer.ts';
import { createGpu } from '../../../src/gpu/create.ts';
import type { Gpu } from '../../../src/gpu/gpu.ts';
import { GroundingModel } from '../../../src/models/grounding.ts';
import { ParameterArena } from '../../../src/nn/arena.ts';
import { loadStateDict } from '../../../src/nn/checkpoint.ts';
import type { Checkpoint } from './checkpoint.ts';

/** A device with a model and one image on it. Calls must not overlap. */
export class Engine {
  readonly gpu: Gpu;
  private readonly arena: ParameterArena;
  private readonly localizer: ModelLocalizer;
  private image: EncodedImage | undefined;

  private constructor(arena: ParameterArena, localizer: ModelLocalizer) {
    this.gpu = arena.gpu;
    this.arena = arena;
    this.localizer = localizer;
  }

  /**
   * @param gpu Device of an engine that this one replaces: its kernels need not be compiled again.
   * @throws GpuError where there is no WebGPU, ShapeError where the weights do not fit the configuration.
   */
  static async open({ config, tokenizer, weights }: Checkpoint, gpu?: Gpu): Promise<Engine> {
    const used = gpu ?? (await createGpu());
    const model = new GroundingModel(config.model);
    const arena = new ParameterArena(used, model, { initialize: false });
    try {
      // `checkpoint.safetensors` of a run folder has the optimizer's state too.
      await loadStateDict(arena, weights, { strict: true, ignore: [/^optimizer\./] });
      return new Engine(arena, new ModelLocalizer(used, model, tokenizer, config));
    } catch (error) {
      if (gpu) arena.dispose();
      else used.dispose();
      throw error;
    }
  }

  /** Encodes the image that phrases are looked for in from now on. */
  async setImage(image: GrayImage): Promise<void> {
    const encoded = await this.localizer.encodeImage(image);
    this.image?.dispose();
    this.image = encoded;
  }

  async find(phrase: string): Promise<Localization> {
    if (!this.image) throw new Error('An image is encoded before a phrase is looked for.');
    const [localization] = await this.localizer.localizeEncoded(this.image, [phrase]);
    if (!localization) throw new Error('The localizer gave no result.');
    return localization;
  }

  /** Looks for phrases in an image that is not kept. */
  findIn(image: GrayImage, phrases: readonly string[]): Promise<readonly Localization[]> {
    return this.localizer.localize(image, phrases);
  }

  /** Frees model and image; the device stays for another engine. */
  release(): void {
    this.image?.dispose();
    this.arena.dispose();
  }

  /** Frees everything, the device included. */
  dispose(): void {
    this.gpu.dispose();
  }
}
