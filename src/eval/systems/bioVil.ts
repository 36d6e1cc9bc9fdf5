import { phraseSimilarity } from '../../autograd/ops/contrastive.ts';
import { reshape } from '../../autograd/ops/shape.ts';
import { noGrad } from '../../autograd/tape.ts';
import { tensor } from '../../autograd/tensor.ts';
import { encodePhrase } from '../../data/text/encode.ts';
import type { WordPieceTokenizer } from '../../data/text/tokenizer.ts';
import type { GrayImage } from '../../data/types.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import { stageGeometry } from '../../models/resnet.ts';
import type { BioVil } from '../../models/systems/bioVil.ts';
import type { Localization, Localizer } from '../localizer.ts';
import { bioVilInput } from './images.ts';
import { encodeText, readMaps, remembered } from './shared.ts';

/**
 * Token ids of a phrase from [CLS] to [SEP]; marks at its end are removed first (`tokenize_input_prompts` of
 * `text/data/io.py`, hi-ml-multimodal). What exceeds the model's positions is cut. @throws DataError without a word
 */
export function encodeForBioVil(phrase: string, tokenizer: WordPieceTokenizer, maxTokens: number): readonly number[] {
  return encodePhrase(phrase.replace(/[!?.]+$/, ''), tokenizer, { maxTokens }).ids;
}

/**
 * Localizes with BioViL: cosine of every projected patch with the projected [CLS] state of the phrase, on the grid of
 * 15x15 (`get_similarity_map_from_raw_data` of `vlp/inference_engine.py`, hi-ml-multimodal). Its smoothing, a Gaussian
 * with sigma 1.5 on the grid, is that of `similarityMap`.
 */
export function bioVilLocalizer(gpu: Gpu, model: BioVil, tokenizer: WordPieceTokenizer): Localizer {
  const { visual, text, dimension } = model.config;
  const { size } = stageGeometry(visual, visual.stages.length - 1, 480);
  const embed = remembered((phrase) =>
    encodeText(gpu, encodeForBioVil(phrase, tokenizer, text.maxPositions), (ids, mask) => model.encodeText(ids, mask)),
  );

  return {
    gridSize: { width: size, height: size },
    async localize(image: GrayImage, phrases: readonly string[]): Promise<readonly Localization[]> {
      const texts: Float32Array[] = [];
      for (const phrase of phrases) texts.push(await embed(phrase));
      const input = bioVilInput(image);
      const maps = gpu.scope(() =>
        noGrad(() => {
          const patches = model.encodeImage(tensor(gpu, input.pixels, [1, input.size, input.size, 1]));
          const rows = reshape(patches, [size * size, dimension]).array;
          return texts.map((values) => phraseSimilarity(rows, tensor(gpu, values, [dimension]).array));
        }),
      );
      return readMaps(maps, size, input.frame);
    },
  };
}
