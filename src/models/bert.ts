import { attention, attentionWithProbabilities } from '../autograd/ops/attention.ts';
import { cast } from '../autograd/ops/cast.ts';
import { add, gelu, tanh } from '../autograd/ops/elementwise.ts';
import { permute, reshape, slice } from '../autograd/ops/shape.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { ShapeError } from '../gpu/errors.ts';
import { formatShape } from '../kernels/shape.ts';
import { runBlock } from '../nn/block.ts';
import { Dropout, Embedding, LayerNorm, Linear } from '../nn/layers.ts';
import { Module } from '../nn/module.ts';

/** Sizes of a BERT encoder, as Hugging Face's `config.json` has them. */
export interface BertConfig {
  readonly vocabulary: number;
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  readonly intermediate: number;
  readonly maxPositions: number;
  readonly tokenTypes: number;
  readonly dropout: number;
  /** Layer norm epsilon; 1e-12 in every published BERT. */
  readonly eps: number;
  /** Whether there is a pooler (tanh of a dense layer on the first token). */
  readonly pooler: boolean;
}

/** BERT-base with the cased vocabulary, as BioClinicalBERT (Devlin et al. 2018, arXiv 1810.04805). */
export const bertBaseConfig: BertConfig = {
  vocabulary: 28_996,
  hidden: 768,
  layers: 12,
  heads: 12,
  intermediate: 3072,
  maxPositions: 512,
  tokenTypes: 2,
  dropout: 0.1,
  eps: 1e-12,
  pooler: false,
};

const deviation = 0.02;

/** Sum of word, position and token type embeddings, normalised. */
export class BertEmbeddings extends Module {
  readonly word_embeddings: Embedding;
  readonly position_embeddings: Embedding;
  readonly token_type_embeddings: Embedding;
  readonly LayerNorm: LayerNorm;
  readonly dropout: Dropout;
  private readonly maxPositions: number;

  constructor(config: BertConfig) {
    super();
    this.word_embeddings = new Embedding(config.vocabulary, config.hidden, { paddingIndex: 0, deviation });
    this.position_embeddings = new Embedding(config.maxPositions, config.hidden, { deviation });
    this.token_type_embeddings = new Embedding(config.tokenTypes, config.hidden, { deviation });
    this.LayerNorm = new LayerNorm(config.hidden, config.eps);
    this.dropout = new Dropout(config.dropout);
    this.maxPositions = config.maxPositions;
  }

  /**
   * i32 `[batch, tokens]` to `[batch, tokens, hidden]`. Without `types` every token has type 0.
   * @throws ShapeError if there are more tokens than positions.
   */
  forward(ids: Tensor, types?: Tensor): Tensor {
    const [, tokens = 0] = ids.shape;
    if (tokens > this.maxPositions) {
      throw new ShapeError(`BERT has ${this.maxPositions} positions; ids have the shape ${formatShape(ids.shape)}.`);
    }
    const positions = slice(this.position_embeddings.weight.tensor, [[0, tokens, 1]]);
    const typed = types
      ? this.token_type_embeddings.forward(types)
      : slice(this.token_type_embeddings.weight.tensor, [[0, 1, 1]]);
    const sum = add(add(this.word_embeddings.forward(ids), positions), typed);
    return this.dropout.forward(this.LayerNorm.forward(sum));
  }
}

class BertSelfAttention extends Module {
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly dropout: Dropout;
  private readonly heads: number;

  constructor(config: BertConfig) {
    super();
    this.query = new Linear(config.hidden, config.hidden, { deviation });
    this.key = new Linear(config.hidden, config.hidden, { deviation });
    this.value = new Linear(config.hidden, config.hidden, { deviation });
    this.dropout = new Dropout(config.dropout);
    this.heads = config.heads;
  }

  forward(x: Tensor, mask: Tensor): Tensor {
    const { dropout } = this;
    const options = dropout.active ? { dropout: { p: dropout.p, seed: dropout.nextSeed() } } : {};
    const [q, k, v] = [this.query, this.key, this.value].map((layer) => this.split(layer.forward(x)));
    if (!q || !k || !v) throw new Error('Attention needs a query, a key and a value.');
    return reshape(permute(attention(q, k, v, mask, options), [0, 2, 1, 3]), x.shape);
  }

  /** Attention weights `[batch, heads, tokens, tokens]`, for inspection. */
  probabilities(x: Tensor, mask: Tensor): Tensor {
    const [q, k, v] = [this.query, this.key, this.value].map((layer) => this.split(layer.forward(x)));
    if (!q || !k || !v) throw new Error('Attention needs a query, a key and a value.');
    return attentionWithProbabilities(q, k, v, mask).probabilities;
  }

  /** `[batch, tokens, hidden]` to `[batch, heads, tokens, hidden / heads]`. */
  private split(x: Tensor): Tensor {
    const [batch = 0, tokens = 0, hidden = 0] = x.shape;
    return permute(reshape(x, [batch, tokens, this.heads, hidden / this.heads]), [0, 2, 1, 3]);
  }
}

/** Dense layer, residual and post layer norm: the end of both halves of an encoder layer. */
class BertOutput extends Module {
  readonly dense: Linear;
  readonly LayerNorm: LayerNorm;
  readonly dropout: Dropout;

  constructor(inFeatures: number, config: BertConfig) {
    super();
    this.dense = new Linear(inFeatures, config.hidden, { deviation });
    this.LayerNorm = new LayerNorm(config.hidden, config.eps);
    this.dropout = new Dropout(config.dropout);
  }

  forward(x: Tensor, residual: Tensor): Tensor {
    return this.LayerNorm.forward(add(this.dropout.forward(this.dense.forward(x)), residual));
  }
}

/** One encoder layer with post layer norm; parameters carry Hugging Face's names. */
export class BertLayer extends Module {
  readonly attention: { readonly self: BertSelfAttention; readonly output: BertOutput };
  readonly intermediate: { readonly dense: Linear };
  readonly output: BertOutput;

  constructor(config: BertConfig) {
    super();
    this.attention = { self: new BertSelfAttention(config), output: new BertOutput(config.hidden, config) };
    this.intermediate = { dense: new Linear(config.hidden, config.intermediate, { deviation }) };
    this.output = new BertOutput(config.intermediate, config);
  }

  /** `x [batch, tokens, hidden]`, `mask` i32 `[batch, tokens]` (0 = padding). */
  forward(x: Tensor, mask: Tensor): Tensor {
    const attended = this.attention.output.forward(this.attention.self.forward(x, mask), x);
    return this.output.forward(gelu(this.intermediate.dense.forward(attended)), attended);
  }
}

/** What a `BertEncoder` gives for a batch of texts. */
export interface BertFeatures {
  /** Embedding output, then the output of every layer, `[batch, tokens, hidden]`. */
  readonly hidden: readonly Tensor[];
  /** Sum of the last (up to) four entries of `hidden`. */
  readonly sumLast4: Tensor;
  /** `[batch, hidden]`, only with a pooler. */
  readonly pooled: Tensor | undefined;
}

/** BERT encoder; parameters carry Hugging Face's names without the prefix `bert.`. */
export class BertEncoder extends Module {
  readonly config: BertConfig;
  readonly embeddings: BertEmbeddings;
  readonly encoder: { readonly layer: readonly BertLayer[] };
  readonly pooler: { readonly dense: Linear } | undefined;

  constructor(config: BertConfig = bertBaseConfig) {
    super();
    if (config.hidden % config.heads !== 0) {
      throw new Error(`BERT: ${config.heads} heads do not divide the hidden size ${config.hidden}.`);
    }
    this.config = config;
    this.embeddings = new BertEmbeddings(config);
    this.encoder = { layer: Array.from({ length: config.layers }, () => new BertLayer(config)) };
    this.pooler = config.pooler ? { dense: new Linear(config.hidden, config.hidden, { deviation }) } : undefined;
  }

  /**
   * `ids` and `mask` (0 = padding) are i32 `[batch, tokens]`; all positions are computed, padding included.
   * @param dtype of the hidden states behind the embeddings; arithmetic and `sumLast4` are f32 in any case.
   */
  forward(ids: Tensor, mask: Tensor, types?: Tensor, dtype: 'f32' | 'f16' = 'f32'): BertFeatures {
    const hidden = [cast(this.embeddings.forward(ids, types), dtype)];
    for (const layer of this.encoder.layer) {
      const last = hidden.at(-1);
      if (last) hidden.push(runBlock(layer, [last, mask], (x, keys) => layer.forward(x, keys)));
    }
    const sumLast4 = hidden
      .slice(-4)
      .map((x) => cast(x, 'f32'))
      .reduce((sum, x) => add(sum, x));
    return { hidden, sumLast4, pooled: this.pool(hidden.at(-1)) };
  }

  private pool(last: Tensor | undefined): Tensor | undefined {
    if (!this.pooler || !last) return undefined;
    const [batch = 0, , hidden = 0] = last.shape;
    const first = slice(last, [
      [0, batch, 1],
      [0, 1, 1],
      [0, hidden, 1],
    ]);
    return tanh(this.pooler.dense.forward(reshape(first, [batch, hidden])));
  }
}
