import { NDArray } from '../src/kernels/ndarray.ts';
import { poolSentences, poolSentencesGrad } from '../src/kernels/poolSentences.ts';
import type { BenchCase, Scale } from './harness.ts';
import { randomArray } from './harness.ts';

/** Eight sentences with sixteen tokens each, of BERT-base's width. */
const [tokens, width] = [128, 768];
const [sentences, tokensPerSentence] = [8, 16];

export function cases({ batch: reports }: Scale): BenchCase[] {
  const shape = [reports, tokens, width];
  const ids = Int32Array.from({ length: reports * tokens }, (_, i) => Math.floor((i % tokens) / tokensPerSentence));
  const bytes = 4 * reports * width * (tokens + sentences + 1);
  return [
    {
      name: `poolSentences ${shape.join('x')} to ${sentences} sentences`,
      flops: reports * tokens * width,
      bytes,
      prepare: (gpu) => {
        const [hidden, sentenceOf] = [randomArray(gpu, shape), NDArray.from(gpu, ids, [reports, tokens], 'i32')];
        return () => void poolSentences(hidden, sentenceOf, sentences, 'sum');
      },
    },
    {
      name: `poolSentences ${shape.join('x')} to ${sentences} sentences, gradient`,
      flops: 2 * reports * tokens * width,
      bytes,
      prepare: (gpu) => {
        const sentenceOf = NDArray.from(gpu, ids, [reports, tokens], 'i32');
        const pooled = poolSentences(randomArray(gpu, shape, 1), sentenceOf, sentences, 'sum');
        const [dSentences, dReport] = [
          randomArray(gpu, [reports, sentences, width], 2),
          randomArray(gpu, [reports, width], 3),
        ];
        return () => void poolSentencesGrad(pooled, sentenceOf, dSentences, dReport);
      },
    },
  ];
}
