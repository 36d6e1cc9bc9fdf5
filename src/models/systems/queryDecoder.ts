import { add, relu, scale } from '../../autograd/ops/elementwise.ts';
import { linear, matmul } from '../../autograd/ops/matmul.ts';
import { mean } from '../../autograd/ops/reductions.ts';
import { permute, reshape, slice } from '../../autograd/ops/shape.ts';
import { softmax } from '../../autograd/ops/softmax.ts';
import type { Tensor } from '../../autograd/tensor.ts';
import { constant, uniform } from '../../nn/init.ts';
import { LayerNorm, Linear } from '../../nn/layers.ts';
import { Module, Parameter } from '../../nn/module.ts';

interface Attended {
  /** `[batch, queries, width]` */
  readonly output: Tensor;
  /** `[batch, queries, keys]`, mean over the heads. */
  readonly weights: Tensor;
}

/**
 * Attention of queries over another sequence; parameters carry the names of PyTorch's `nn.MultiheadAttention`, whose
 * query, key and value projections are one matrix. Made of matrix products, as the weights are asked for.
 */
export class MultiheadAttention extends Module {
  readonly in_proj_weight: Parameter;
  readonly in_proj_bias: Parameter;
  readonly out_proj: Linear;
  private readonly width: number;
  private readonly heads: number;

  constructor(width: number, heads: number) {
    super();
    if (width % heads !== 0) throw new Error(`${heads} heads do not divide the width ${width}.`);
    this.in_proj_weight = new Parameter([3 * width, width], uniform(Math.sqrt(6 / (4 * width))));
    this.in_proj_bias = new Parameter([3 * width], constant(0));
    this.out_proj = new Linear(width, width);
    this.width = width;
    this.heads = heads;
  }

  /** `query` `[batch, queries, width]` over `memory` `[batch, keys, width]`, which gives keys and values. */
  forward(query: Tensor, memory: Tensor): Attended {
    const [q, k, v] = [this.project(query, 0), this.project(memory, 1), this.project(memory, 2)];
    const scores = matmul(q, k, { transposeB: true });
    const weights = softmax(scale(scores, 1 / Math.sqrt(this.width / this.heads)), 3);
    const mixed = reshape(permute(matmul(weights, v), [0, 2, 1, 3]), query.shape);
    return { output: this.out_proj.forward(mixed), weights: mean(weights, [1]) };
  }

  /** Projection 0 (query), 1 (key) or 2 (value) as `[batch, heads, length, width / heads]`. */
  private project(x: Tensor, which: number): Tensor {
    const { width, heads } = this;
    const rows = [which * width, (which + 1) * width, 1] as const;
    const projected = linear(x, slice(this.in_proj_weight.tensor, [rows]), slice(this.in_proj_bias.tensor, [rows]));
    const [batch = 0, length = 0] = x.shape;
    return permute(reshape(projected, [batch, length, heads, width / heads]), [0, 2, 1, 3]);
  }
}

/** Decoder layer that normalises before each part: queries among themselves, queries over the image, two dense layers. */
class QueryDecoderLayer extends Module {
  readonly self_attn: MultiheadAttention;
  readonly multihead_attn: MultiheadAttention;
  readonly linear1: Linear;
  readonly linear2: Linear;
  readonly norm1: LayerNorm;
  readonly norm2: LayerNorm;
  readonly norm3: LayerNorm;

  constructor(width: number, heads: number, intermediate: number) {
    super();
    this.self_attn = new MultiheadAttention(width, heads);
    this.multihead_attn = new MultiheadAttention(width, heads);
    this.linear1 = new Linear(width, intermediate);
    this.linear2 = new Linear(intermediate, width);
    this.norm1 = new LayerNorm(width);
    this.norm2 = new LayerNorm(width);
    this.norm3 = new LayerNorm(width);
  }

  forward(query: Tensor, memory: Tensor): Attended {
    const own = this.norm1.forward(query);
    const mixed = add(query, this.self_attn.forward(own, own).output);
    const { output, weights } = this.multihead_attn.forward(this.norm2.forward(mixed), memory);
    const seen = add(mixed, output);
    const dense = this.linear2.forward(relu(this.linear1.forward(this.norm3.forward(seen))));
    return { output: add(seen, dense), weights };
  }
}

export interface DecodedQueries {
  /** `[batch, queries, width]` */
  readonly output: Tensor;
  /** Weights over the memory of each layer, `[batch, queries, keys]`, mean over its heads. */
  readonly weights: readonly Tensor[];
}

/** Transformer decoder whose queries look at an image; parameters carry the published names below `decoder`. */
export class QueryDecoder extends Module {
  readonly layers: readonly QueryDecoderLayer[];
  readonly norm: LayerNorm;

  constructor(options: {
    readonly width: number;
    readonly heads: number;
    readonly intermediate: number;
    readonly layers: number;
  }) {
    super();
    const { width, heads, intermediate } = options;
    this.layers = Array.from({ length: options.layers }, () => new QueryDecoderLayer(width, heads, intermediate));
    this.norm = new LayerNorm(width);
  }

  /** `query` `[batch, queries, width]`, `memory` `[batch, keys, width]`. */
  forward(query: Tensor, memory: Tensor): DecodedQueries {
    let output = query;
    const weights: Tensor[] = [];
    for (const layer of this.layers) {
      const attended = layer.forward(output, memory);
      output = attended.output;
      weights.push(attended.weights);
    }
    return { output: this.norm.forward(output), weights };
  }
}
