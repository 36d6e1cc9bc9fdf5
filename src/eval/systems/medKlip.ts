import { noGrad } from '../../autograd/tape.ts';
import { tensor } from '../../autograd/tensor.ts';
import { encodePhrase } from '../../data/text/encode.ts';
import type { WordPieceTokenizer } from '../../data/text/tokenizer.ts';
import type { GrayImage } from '../../data/types.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import { stageGeometry } from '../../models/resnet.ts';
import type { MedKlip } from '../../models/systems/medKlip.ts';
import type { Localization, Localizer } from '../localizer.ts';
import { type Finding, findingOf } from './findings.ts';
import { medKlipInput } from './images.ts';
import { encodeText } from './shared.ts';

/** Most tokens of a description (`get_tokenizer` of `Sample_Zero-Shot_Grounding_RSNA/test.py`). */
const maxTokens = 64;

/** What MedKLIP is asked about. */
export interface MedKlipOptions {
  /** All queries, in the published order; see `parseFindings`. */
  readonly findings: readonly Finding[];
  /** Category of a phrase, where the data give one; it decides what is looked for. */
  readonly categoryOf?: (phrase: string) => string | undefined;
  /** Called after each description that was encoded, which takes most of the time until the first map. */
  readonly onDescribed?: (done: number, total: number) => void;
  /** Aborts between two descriptions; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * Encodes the descriptions of all findings once, and localizes with MedKLIP: the weights that the query of a finding gives to the regions, mean over heads and the four
 * layers, on the grid of 14x14 (`Sample_Zero-Shot_Grounding_RSNA/test.py`). A phrase stands for the finding of its
 * category, or for the only finding that it names; its other words are not read.
 * @throws DataError from `localize` for a phrase that stands for no finding.
 */
export async function medKlipLocalizer(
  gpu: Gpu,
  model: MedKlip,
  tokenizer: WordPieceTokenizer,
  options: MedKlipOptions,
): Promise<Localizer> {
  const { findings, categoryOf = () => undefined, onDescribed, signal } = options;
  const { visual, text } = model.config;
  const names = findings.map(({ name }) => name);
  const { size } = stageGeometry(visual, visual.stages.length - 1, 224);
  const cells = size * size;
  const descriptions = new Float32Array(findings.length * text.hidden);
  for (const [i, { description }] of findings.entries()) {
    signal?.throwIfAborted();
    const { ids } = encodePhrase(description, tokenizer, { maxTokens: Math.min(maxTokens, text.maxPositions) });
    const state = await encodeText(gpu, ids, (tokens, mask) => model.describe(tokens, mask));
    descriptions.set(state, i * text.hidden);
    onDescribed?.(i + 1, findings.length);
  }

  return {
    gridSize: { width: size, height: size },
    async localize(image: GrayImage, phrases: readonly string[]): Promise<readonly Localization[]> {
      const wanted = phrases.map((phrase) => findingOf(phrase, names, categoryOf(phrase)));
      const input = medKlipInput(image);
      const attention = gpu.scope(() =>
        noGrad(() => {
          const pixels = tensor(gpu, input.pixels, [1, input.size, input.size, 3]);
          return model.forward(pixels, tensor(gpu, descriptions, [findings.length, text.hidden])).attention;
        }),
      );
      const values = (await attention.data()) as Float32Array;
      attention.dispose();
      return wanted.map((finding) => ({
        grid: { width: size, height: size, data: values.slice(finding * cells, (finding + 1) * cells) },
        frame: input.frame,
      }));
    },
  };
}
