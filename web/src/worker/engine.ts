import type { GrayImage } from '../../../src/data/types.ts';
import type { Localization } from '../../../src/eval/localizer.ts';
import { type EncodedImage, ModelLocalizer } from '../../../src/eval/modelLocalizer.ts';
import type { Gpu } from '../../../src/gpu/gpu.ts';
import { type ProfiledDispatch, profile } from '../../../src/gpu/profile.ts';
import { GroundingModel } from '../../../src/models/grounding.ts';
import { ParameterArena } from '../../../src/nn/arena.ts';
import { loadStateDict } from '../../../src/nn/checkpoint.ts';
import type { Checkpoint } from './checkpoint.ts';

/** A device with a model and one image on it. Calls must not overlap. */
export class Engine {
  readonly gpu: Gpu;
  private readonly arena: ParameterArena;
  private readonly newLocalizer: () => ModelLocalizer;
  private readonly localizer: ModelLocalizer;
  private image: EncodedImage | undefined;

  private constructor(arena: ParameterArena, newLocalizer: () => ModelLocalizer) {
    this.gpu = arena.gpu;
    this.arena = arena;
    this.newLocalizer = newLocalizer;
    this.localizer = newLocalizer();
  }

  /** @throws ShapeError where the weights do not fit the configuration. */
  static async open(gpu: Gpu, { config, tokenizer, weights }: Checkpoint): Promise<Engine> {
    const model = new GroundingModel(config.model);
    // Nothing is trained here: without gradients a model takes half the memory.
    const arena = new ParameterArena(gpu, model, { initialize: false, frozen: () => true });
    try {
      // `checkpoint.safetensors` of a run folder has the optimizer's state too.
      await loadStateDict(arena, weights, { strict: true, ignore: [/^optimizer\./] });
      // Whether the device had the memory is known when all is there.
      await gpu.finish();
      return new Engine(arena, () => new ModelLocalizer(gpu, model, tokenizer, config));
    } catch (error) {
      arena.dispose();
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

  /**
   * GPU time of every kernel of one question: image and phrase are encoded and compared.
   * @throws GpuError if the device has no timestamp queries.
   */
  async trace(image: GrayImage, phrase: string): Promise<ProfiledDispatch[]> {
    // Kernels are compiled before they are timed; a new localizer knows no phrase yet.
    await this.localizer.localize(image, [phrase]);
    const localizer = this.newLocalizer();
    return profile(this.gpu, async () => {
      await localizer.localize(image, [phrase]);
    });
  }

  /** Frees model and image; the device stays for another engine. */
  dispose(): void {
    this.image?.dispose();
    this.arena.dispose();
  }
}
