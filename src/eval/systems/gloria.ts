import { phraseSimilarity } from '../../autograd/ops/contrastive.ts';
import { reshape } from '../../autograd/ops/shape.ts';
import { noGrad } from '../../autograd/tape.ts';
import { type Tensor, tensor } from '../../autograd/tensor.ts';
import { DataError } from '../../data/errors.ts';
import { splitSentences } from '../../data/text/sentences.ts';
import type { WordPieceTokenizer } from '../../data/text/tokenizer.ts';
import type { GrayImage } from '../../data/types.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import type { NDArray } from '../../kernels/ndarray.ts';
import type { GroundingModel } from '../../models/grounding.ts';
import { stageGeometry } from '../../models/resnet.ts';
import { gloriaAttention } from '../../models/systems/gloria.ts';
import type { Localization, Localizer } from '../localizer.ts';
import type { GloriaMap } from './gloriaMaps.ts';
import { gloriaInput } from './images.ts';
import { encodeText, readMaps, remembered, tokenRow } from './shared.ts';

/** `word_num` of GLoRIA's configuration: most tokens, [CLS] and [SEP] included. */
const maxTokens = 97;

export interface GloriaText {
  readonly ids: readonly number[];
  /** Unit of each token: 0 is [CLS], then the words; -1 outside of the attention. */
  readonly units: readonly number[];
  readonly count: number;
}

/**
 * Tokens of a phrase and the words they make up, as `process_text` and `aggregate_tokens` have it (GLoRIA,
 * `gloria/models/{gloria,text}_model.py`): lower case, words of `\w+`, sentences joined; pieces belong to the word before.
 * `_calc_local_loss` takes [CLS] as a word, and as many more as there are words that are not [UNK]: each unknown word
 * loses one at the end. A phrase of one word, which GLoRIA drops, is kept here. @throws DataError without a word
 */
export function encodeForGloria(phrase: string, tokenizer: WordPieceTokenizer): GloriaText {
  const single = phrase.toLowerCase().match(/[a-z0-9_]+/g) ?? [];
  const sentences = splitSentences(phrase, 'gloria');
  const text = (sentences.length > 0 ? sentences : single).join(' ');
  const pieces = tokenizer.tokenize(text).slice(0, maxTokens - 2);
  if (pieces.length === 0) {
    throw new DataError(
      `The phrase "${phrase}" has no word to look for. Write what should be found, e.g. "left pleural effusion".`,
    );
  }
  let word = 0;
  const wordOf = pieces.map((piece, i) => {
    if (i === 0 || !piece.startsWith('##')) word++;
    return word;
  });
  const count = 1 + word - pieces.filter((piece) => piece.startsWith('[')).length;
  return {
    ids: [tokenizer.clsId, ...pieces.map((piece) => tokenizer.idOf(piece)), tokenizer.sepId],
    units: [0, ...wordOf.map((unit) => (unit < count ? unit : -1)), -1],
    count,
  };
}

/**
 * Localizes with GLoRIA. `attention` gives the largest weight of any word per region; `cosine` compares regions with
 * the sum of all tokens, [CLS] and [SEP] included, GLoRIA's embedding of a text up to its length.
 */
export function gloriaLocalizer(
  gpu: Gpu,
  model: GroundingModel,
  tokenizer: WordPieceTokenizer,
  { map = 'attention' }: { readonly map?: GloriaMap } = {},
): Localizer {
  const { visual, localStage, upsample = 299, dimension } = model.config;
  const { size } = stageGeometry(visual, localStage - 1, upsample);
  const embed = remembered((phrase) => {
    const text = encodeForGloria(phrase, tokenizer);
    const { units, count } = map === 'attention' ? text : { units: text.ids.map(() => 0), count: 1 };
    return encodeText(
      gpu,
      text.ids,
      (ids, mask) => model.poolUnits(model.encodeText(ids, mask), { ids: tokenRow(gpu, units), count }).units,
    );
  });
  const mapOf = (regions: Tensor, values: Float32Array): NDArray =>
    map === 'cosine'
      ? phraseSimilarity(regions.array, tensor(gpu, values, [dimension]).array)
      : gloriaAttention(regions, tensor(gpu, values, [values.length / dimension, dimension])).array;

  return {
    gridSize: { width: size, height: size },
    async localize(image: GrayImage, phrases: readonly string[]): Promise<readonly Localization[]> {
      const texts: Float32Array[] = [];
      for (const phrase of phrases) texts.push(await embed(phrase));
      const input = gloriaInput(image);
      const maps = gpu.scope(() =>
        noGrad(() => {
          const { regions } = model.encodeImage(tensor(gpu, input.pixels, [1, input.size, input.size, 1]));
          const rows = reshape(regions, [size * size, dimension]);
          return texts.map((values) => mapOf(rows, values));
        }),
      );
      return readMaps(maps, size, input.frame);
    },
  };
}
