import { z } from 'zod';
import { globalContrast, localContrast } from '../../autograd/ops/contrastive.ts';
import { add, mul, scale } from '../../autograd/ops/elementwise.ts';
import { l2Normalize } from '../../autograd/ops/l2Normalize.ts';
import { matmul } from '../../autograd/ops/matmul.ts';
import { reshape } from '../../autograd/ops/shape.ts';
import { softmax } from '../../autograd/ops/softmax.ts';
import { where } from '../../autograd/ops/where.ts';
import { noGrad } from '../../autograd/tape.ts';
import { Tensor } from '../../autograd/tensor.ts';
import { NDArray } from '../../kernels/ndarray.ts';
import type { CaseContext } from '../caseContext.ts';
import type { CaseRunners, Inputs } from './operator.ts';
import { attributesOf, evaluate, operator } from './operator.ts';

const globalAttributes = z.object({ tau1: z.number(), eps: z.number().default(1e-8) });

const localAttributes = globalAttributes.extend({
  tau2: z.number(),
  tau3: z.number(),
  attn_sim: z.enum(['dot', 'cosine']),
  attn_norm: z.enum(['regions', 'sentences_regions']),
  agg: z.enum(['sum', 'mean']),
});

type LocalAttributes = z.infer<typeof localAttributes>;

function local(inputs: Inputs, attributes: LocalAttributes) {
  const { tau1, tau2, tau3, attn_sim: attention, attn_norm: normalization, agg: aggregation, eps } = attributes;
  const options = { tau1, tau2, tau3, attention, normalization, aggregation, eps };
  return localContrast(inputs.get('V'), inputs.get('T'), inputs.get('mask'), options);
}

/** The mask `[reports, sentences]` as f32, with axes of size 1 in front of and behind it. */
function maskFactors(context: CaseContext, behind: number): Tensor {
  const { data, shape } = context.input('mask');
  const axes = [1, ...shape, ...new Array<number>(behind).fill(1)];
  return new Tensor(NDArray.from(context.gpu, Float32Array.from(data), axes));
}

/**
 * Attention of every sentence over the regions, `[images, reports, sentences, regions]`, from separate operations:
 * the loss itself never stores it.
 */
function regionAttention(context: CaseContext, inputs: Inputs, attributes: LocalAttributes): Tensor {
  const { tau2, attn_sim: similarity, attn_norm: normalization, eps } = attributes;
  const unit = (x: Tensor): Tensor => (similarity === 'cosine' ? l2Normalize(x, -1, eps) : x);
  const [regions, sentences] = [inputs.get('V'), inputs.get('T')];
  const [images = 0, cells = 0, features = 0] = regions.shape;
  const [reports = 0, count = 0] = sentences.shape;
  let scores = matmul(
    reshape(unit(sentences), [1, reports, count, features]),
    reshape(unit(regions), [images, 1, cells, features]),
    { transposeB: true },
  );
  if (normalization === 'sentences_regions') {
    const real = reshape(inputs.get('mask'), [1, reports, count, 1]);
    const excluded = new Tensor(NDArray.from(context.gpu, [-1e30], []));
    scores = softmax(where(real, scores, excluded), 2);
  }
  return mul(softmax(scale(scores, 1 / tau2), -1), maskFactors(context, 1));
}

export const runners: CaseRunners = {
  global_contrast: operator(globalAttributes, (inputs, options) => {
    const { similarity, lossVt, lossTv } = globalContrast(inputs.get('image'), inputs.get('report'), options);
    return { sim: similarity, loss_vt: lossVt, loss_tv: lossTv };
  }),
  local_contrast: async (context) => {
    const attributes = attributesOf(context, localAttributes);
    await evaluate(context, (inputs) => {
      const { cosine, similarity, lossVt, lossTv } = local(inputs, attributes);
      // Values of padded sentences mean nothing; the reference has zeros there.
      const cos = noGrad(() => mul(cosine, maskFactors(context, 0)));
      const outputs = { cos, Z: similarity, loss_vt: lossVt, loss_tv: lossTv };
      if (!context.hasOutput('attention')) return outputs;
      return { ...outputs, attention: noGrad(() => regionAttention(context, inputs, attributes)) };
    });
  },
  total_loss: operator(localAttributes, (inputs, attributes) => {
    const { tau1, eps } = attributes;
    const global = globalContrast(inputs.get('image'), inputs.get('report'), { tau1, eps });
    const { similarity, lossVt, lossTv } = local(inputs, attributes);
    return {
      global_vt: global.lossVt,
      global_tv: global.lossTv,
      local_vt: lossVt,
      local_tv: lossTv,
      total: add(add(global.lossVt, global.lossTv), add(lossVt, lossTv)),
      Sg: global.similarity,
      Z: similarity,
    };
  }),
};
