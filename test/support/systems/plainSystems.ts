/** Forward passes of the published systems out of plain loops, by the published names. */
import {
  affine,
  asColour,
  attend,
  batchNorm,
  bert,
  cells,
  conv,
  dot,
  gelu,
  get,
  globalMean,
  grayMap,
  layerNorm,
  linear,
  type Map3,
  plus,
  type Rows,
  relu,
  reluRows,
  resizeCorners,
  resNet,
  type State,
  softmaxOf,
} from './plain.ts';

const places = (at: string) => ({
  conv1: `${at}conv1`,
  bn1: `${at}bn1`,
  layers: [1, 2, 3, 4].map((n) => `${at}layer${n}`),
});

/** GLoRIA on a grey square image: regions `[361, D]` and the embedding of the whole image. */
export function gloriaImage(
  state: State,
  size: number,
  pixels: ArrayLike<number>,
): { readonly regions: Rows; readonly global: Rows } {
  const image = asColour(resizeCorners(grayMap(size, pixels), 299));
  const [, , third, last] = resNet(state, places('gloria.img_encoder.model.'), [3, 4, 6, 3], image);
  return {
    regions: cells(conv(state, 'gloria.img_encoder.local_embedder', third!, 1, 0)),
    global: linear(state, 'gloria.img_encoder.global_embedder', [globalMean(last!)]),
  };
}

/** Sums of the last four states over the tokens of each unit. */
export function gloriaWords(state: State, ids: readonly number[], units: readonly number[], count: number): Rows {
  const hidden = bert(state, 'gloria.text_encoder.model.', ids, 12, 2).slice(-4);
  return Array.from({ length: count }, (_, unit) => {
    const sum = new Float64Array(128);
    for (const [i, own] of units.entries()) {
      if (own === unit) for (const rows of hidden) for (const [d, value] of rows[i]!.entries()) sum[d]! += value;
    }
    return sum;
  });
}

/** For every word a softmax over regions of four times the region's softmax over words; the largest of any word. */
export function plainGloriaAttention(regions: Rows, words: Rows): Float64Array {
  const overWords = regions.map((region) => softmaxOf(Float64Array.from(words, (word) => dot(region, word))));
  const maps = words.map((_, w) => softmaxOf(Float64Array.from(overWords, (row) => 4 * row[w]!)));
  return Float64Array.from(regions, (_, m) => Math.max(...maps.map((map) => map[m]!)));
}

/** BioViL's projected patches of a grey square image. */
export function bioVilPatches(state: State, size: number, pixels: ArrayLike<number>): Rows {
  const last = resNet(state, places('encoder.encoder.'), [3, 4, 6, 3], asColour(grayMap(size, pixels))).at(-1)!;
  const narrow = relu(batchNorm(state, 'projector.model.1', conv(state, 'projector.model.0', last, 1, 0)));
  return cells(conv(state, 'projector.model.3', narrow, 1, 0));
}

/** CXR-BERT's projected [CLS] state. */
export function bioVilText(state: State, ids: readonly number[]): Float64Array {
  const [first] = bert(state, 'bert.', ids, 12, 2).at(-1)!;
  const hidden = gelu(linear(state, 'cls_projection_head.dense_to_hidden', [first!]));
  const normed = layerNorm(state, 'cls_projection_head.LayerNorm', hidden, 1e-12);
  return linear(state, 'cls_projection_head.dense_to_output', normed)[0]!;
}

function multihead(state: State, name: string, query: Rows, memory: Rows): ReturnType<typeof attend> {
  const width = query[0]!.length;
  const [w, b] = [get(state, `${name}.in_proj_weight`).data, get(state, `${name}.in_proj_bias`).data];
  const part = (which: number, rows: Rows): Rows => {
    const weight = Array.from({ length: width * width }, (_, i) => w[which * width * width + i]!);
    const bias = Array.from({ length: width }, (_, i) => b[which * width + i]!);
    return affine(weight, bias, rows);
  };
  const { output, weights } = attend(part(0, query), part(1, memory), part(2, memory), 4);
  return { output: linear(state, `${name}.out_proj`, output), weights };
}

/** MedKLIP on one image `[H, W, 3]`: weights of every finding over the regions, mean over layers, and its logits. */
export function plainMedKlip(
  state: State,
  image: Map3,
  descriptions: Rows,
): { readonly attention: Rows; readonly logits: Rows } {
  const layers = ['res_features.4', 'res_features.5', 'res_features.6'];
  const map = resNet(state, { conv1: 'res_features.0', bn1: 'res_features.1', layers }, [3, 4, 6], image)[2]!;
  const memory = linear(state, 'res_l2', reluRows(linear(state, 'res_l1', cells(map))));
  let query = linear(state, 'disease_embedding_layer', descriptions);
  const attention = query.map(() => new Float64Array(memory.length));
  for (let n = 0; n < 4; n++) {
    const layer = `decoder.layers.${n}`;
    const own = layerNorm(state, `${layer}.norm1`, query, 1e-5);
    query = plus(query, multihead(state, `${layer}.self_attn`, own, own).output);
    const asked = layerNorm(state, `${layer}.norm2`, query, 1e-5);
    const { output, weights } = multihead(state, `${layer}.multihead_attn`, asked, memory);
    query = plus(query, output);
    for (const [i, row] of weights.entries()) for (const [j, weight] of row.entries()) attention[i]![j]! += weight / 4;
    const dense = reluRows(linear(state, `${layer}.linear1`, layerNorm(state, `${layer}.norm3`, query, 1e-5)));
    query = plus(query, linear(state, `${layer}.linear2`, dense));
  }
  return { attention, logits: linear(state, 'classifier', layerNorm(state, 'decoder.norm', query, 1e-5)) };
}
