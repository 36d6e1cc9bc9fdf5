/** Networks as plain loops over float64, independent of everything in `src`: one image or text at a time. */

export interface Plain {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** Tensors under their published names. */
export type State = ReadonlyMap<string, Plain>;

/** Feature map `[height, width, channels]`, row-major. */
export interface Map3 {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly data: Float64Array;
}

export type Rows = Float64Array[];

export function get(state: State, name: string): Plain {
  const found = state.get(name);
  if (!found) throw new Error(`The reference needs ${name}.`);
  return found;
}

/** Convolution; weights are `[out, in, kernel, kernel]`. */
export function conv(state: State, name: string, x: Map3, stride: number, padding: number): Map3 {
  const { shape, data: w } = get(state, `${name}.weight`);
  const bias = state.get(`${name}.bias`)?.data;
  const [out = 0, inputs = 0, kernel = 0] = shape;
  const height = Math.floor((x.height + 2 * padding - kernel) / stride) + 1;
  const width = Math.floor((x.width + 2 * padding - kernel) / stride) + 1;
  // [ky, kx, in, out], so that the innermost loop runs over neighbours.
  const turned = new Float64Array(kernel * kernel * inputs * out);
  for (let o = 0; o < out; o++)
    for (let i = 0; i < inputs; i++)
      for (let k = 0; k < kernel * kernel; k++)
        turned[(k * inputs + i) * out + o] = w[(o * inputs + i) * kernel * kernel + k]!;
  const data = new Float64Array(height * width * out);
  for (let y = 0; y < height; y++) {
    for (let z = 0; z < width; z++) {
      const at = (y * width + z) * out;
      if (bias) for (let o = 0; o < out; o++) data[at + o] = bias[o]!;
      for (let ky = 0; ky < kernel; ky++) {
        const sy = y * stride + ky - padding;
        if (sy < 0 || sy >= x.height) continue;
        for (let kx = 0; kx < kernel; kx++) {
          const sx = z * stride + kx - padding;
          if (sx < 0 || sx >= x.width) continue;
          for (let i = 0; i < inputs; i++) {
            const value = x.data[(sy * x.width + sx) * inputs + i]!;
            const from = ((ky * kernel + kx) * inputs + i) * out;
            for (let o = 0; o < out; o++) data[at + o]! += value * turned[from + o]!;
          }
        }
      }
    }
  }
  return { height, width, channels: out, data };
}

export function batchNorm(state: State, name: string, x: Map3, eps = 1e-5): Map3 {
  const [weight, bias, mean, variance] = ['weight', 'bias', 'running_mean', 'running_var'].map(
    (part) => get(state, `${name}.${part}`).data,
  );
  const data = x.data.map((value, i) => {
    const c = i % x.channels;
    return ((value - mean![c]!) / Math.sqrt(variance![c]! + eps)) * weight![c]! + bias![c]!;
  });
  return { ...x, data };
}

export const relu = <T extends Map3>(x: T): T => ({ ...x, data: x.data.map((value) => Math.max(0, value)) });

function maxPool(x: Map3): Map3 {
  const [height, width] = [Math.floor((x.height - 1) / 2) + 1, Math.floor((x.width - 1) / 2) + 1];
  const data = new Float64Array(height * width * x.channels).fill(Number.NEGATIVE_INFINITY);
  for (let y = 0; y < height; y++)
    for (let z = 0; z < width; z++)
      for (let sy = Math.max(0, 2 * y - 1); sy <= Math.min(x.height - 1, 2 * y + 1); sy++)
        for (let sx = Math.max(0, 2 * z - 1); sx <= Math.min(x.width - 1, 2 * z + 1); sx++)
          for (let c = 0; c < x.channels; c++) {
            const at = (y * width + z) * x.channels + c;
            data[at] = Math.max(data[at]!, x.data[(sy * x.width + sx) * x.channels + c]!);
          }
  return { height, width, channels: x.channels, data };
}

/** Where the parts of a ResNet are called what. */
export interface ResNetPlaces {
  readonly conv1: string;
  readonly bn1: string;
  readonly layers: readonly string[];
}

/** Outputs of the stages of a ResNet with bottlenecks; the stride of stages 2 and later is in the 3x3 convolution. */
export function resNet(state: State, places: ResNetPlaces, blocks: readonly number[], image: Map3): Map3[] {
  let x = maxPool(relu(batchNorm(state, places.bn1, conv(state, places.conv1, image, 2, 3))));
  return places.layers.map((layer, stage) => {
    for (let block = 0; block < blocks[stage]!; block++) {
      const name = `${layer}.${block}`;
      const stride = block === 0 && stage > 0 ? 2 : 1;
      const narrow = relu(batchNorm(state, `${name}.bn1`, conv(state, `${name}.conv1`, x, 1, 0)));
      const mixed = relu(batchNorm(state, `${name}.bn2`, conv(state, `${name}.conv2`, narrow, stride, 1)));
      const wide = batchNorm(state, `${name}.bn3`, conv(state, `${name}.conv3`, mixed, 1, 0));
      const shortcut = state.has(`${name}.downsample.0.weight`)
        ? batchNorm(state, `${name}.downsample.1`, conv(state, `${name}.downsample.0`, x, stride, 0))
        : x;
      x = relu({ ...wide, data: wide.data.map((value, i) => value + shortcut.data[i]!) });
    }
    return x;
  });
}

/** A grey image as the three equal channels of a colour image. */
export function asColour({ height, width, data }: Map3): Map3 {
  return {
    height,
    width,
    channels: 3,
    data: Float64Array.from({ length: 3 * data.length }, (_, i) => data[Math.floor(i / 3)]!),
  };
}

export const grayMap = (size: number, values: ArrayLike<number>): Map3 => ({
  height: size,
  width: size,
  channels: 1,
  data: Float64Array.from(values),
});

/** Mean over the cells, `[channels]`. */
export function globalMean(x: Map3): Float64Array {
  const mean = new Float64Array(x.channels);
  for (const row of cells(x)) for (const [c, value] of row.entries()) mean[c]! += value / (x.height * x.width);
  return mean;
}

/** All values of rows, one row after the other. */
export const flat = (rows: Rows): number[] => rows.flatMap((row) => [...row]);

/** `[cells, channels]`, row by row. */
export function cells({ height, width, channels, data }: Map3): Rows {
  return Array.from({ length: height * width }, (_, i) => data.slice(i * channels, (i + 1) * channels));
}

export function linear(state: State, name: string, rows: Rows): Rows {
  return affine(get(state, `${name}.weight`).data, get(state, `${name}.bias`).data, rows);
}

/** `x w^T + b`; `w` `[out, in]`, row-major. */
export function affine(w: ArrayLike<number>, b: ArrayLike<number>, rows: Rows): Rows {
  return rows.map((row) =>
    Float64Array.from({ length: b.length }, (_, o) => {
      let sum = b[o]!;
      for (let i = 0; i < row.length; i++) sum += row[i]! * w[o * row.length + i]!;
      return sum;
    }),
  );
}

export function layerNorm(state: State, name: string, rows: Rows, eps: number): Rows {
  const [weight, bias] = [get(state, `${name}.weight`).data, get(state, `${name}.bias`).data];
  return rows.map((row) => {
    const mean = row.reduce((sum, value) => sum + value, 0) / row.length;
    const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / row.length;
    return row.map((value, i) => ((value - mean) / Math.sqrt(variance + eps)) * weight[i]! + bias[i]!);
  });
}

export const plus = (a: Rows, b: Rows): Rows => a.map((row, i) => row.map((value, j) => value + b[i]![j]!));

export function softmaxOf(values: Float64Array): Float64Array {
  const most = Math.max(...values);
  const powers = values.map((value) => Math.exp(value - most));
  const total = powers.reduce((sum, value) => sum + value, 0);
  return powers.map((value) => value / total);
}

export const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};

export const cosine = (a: Float64Array, b: Float64Array): number => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));

/** Attention of already projected rows; gives the mixed values and the weights of each query, mean over heads. */
export function attend(q: Rows, k: Rows, v: Rows, heads: number): { readonly output: Rows; readonly weights: Rows } {
  const width = q[0]!.length;
  const size = width / heads;
  const weights = q.map(() => new Float64Array(k.length));
  const output = q.map((query, i) => {
    const mixed = new Float64Array(width);
    for (let h = 0; h < heads; h++) {
      const part = (row: Float64Array) => row.subarray(h * size, (h + 1) * size);
      const p = softmaxOf(Float64Array.from(k, (key) => dot(part(query), part(key)) / Math.sqrt(size)));
      for (let j = 0; j < k.length; j++) {
        weights[i]![j]! += p[j]! / heads;
        for (let d = 0; d < size; d++) mixed[h * size + d]! += p[j]! * v[j]![h * size + d]!;
      }
    }
    return mixed;
  });
  return { output, weights };
}

/** Gaussian error function, to 1e-15 (series and continued fraction). */
function erf(x: number): number {
  const a = Math.abs(x);
  if (a > 6) return Math.sign(x);
  if (a < 3) {
    let [term, sum] = [a, a];
    for (let n = 1; n < 80; n++) {
      term *= -(a * a) / n;
      sum += term / (2 * n + 1);
    }
    return (Math.sign(x) * 2 * sum) / Math.sqrt(Math.PI);
  }
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (a + fraction);
  return Math.sign(x) * (1 - Math.exp(-a * a) / (a + fraction) / Math.sqrt(Math.PI));
}

export const gelu = (rows: Rows): Rows =>
  rows.map((row) => row.map((value) => (value / 2) * (1 + erf(value / Math.SQRT2))));

export const reluRows = (rows: Rows): Rows => rows.map((row) => row.map((value) => Math.max(0, value)));

/** Hidden states of a BERT, the embeddings first; `place` is the beginning of its names, with a dot. */
export function bert(state: State, place: string, ids: readonly number[], layers: number, heads: number): Rows[] {
  const row = (table: string, i: number): Float64Array => {
    const { shape, data } = get(state, `${place}embeddings.${table}_embeddings.weight`);
    const width = shape[1]!;
    return Float64Array.from({ length: width }, (_, d) => data[i * width + d]!);
  };
  const sums = ids.map((id, i) => {
    const [word, position, type] = [row('word', id), row('position', i), row('token_type', 0)];
    return word.map((value, d) => value + position[d]! + type[d]!);
  });
  const hidden = [layerNorm(state, `${place}embeddings.LayerNorm`, sums, 1e-12)];
  for (let n = 0; n < layers; n++) {
    const x = hidden.at(-1)!;
    const name = `${place}encoder.layer.${n}`;
    const [q, k, v] = ['query', 'key', 'value'].map((part) => linear(state, `${name}.attention.self.${part}`, x));
    const attended = linear(state, `${name}.attention.output.dense`, attend(q!, k!, v!, heads).output);
    const middle = layerNorm(state, `${name}.attention.output.LayerNorm`, plus(attended, x), 1e-12);
    const dense = linear(state, `${name}.output.dense`, gelu(linear(state, `${name}.intermediate.dense`, middle)));
    hidden.push(layerNorm(state, `${name}.output.LayerNorm`, plus(dense, middle), 1e-12));
  }
  return hidden;
}

/** Bilinear resize whose corner pixels coincide. */
export function resizeCorners(x: Map3, size: number): Map3 {
  const data = new Float64Array(size * size * x.channels);
  const place = (i: number, from: number) => {
    const at = (i * (from - 1)) / (size - 1);
    const low = Math.min(Math.floor(at), from - 2);
    return { low, part: at - low };
  };
  for (let y = 0; y < size; y++) {
    const down = place(y, x.height);
    for (let z = 0; z < size; z++) {
      const across = place(z, x.width);
      for (let c = 0; c < x.channels; c++) {
        const at = (dy: number, dx: number) => x.data[((down.low + dy) * x.width + across.low + dx) * x.channels + c]!;
        const top = at(0, 0) * (1 - across.part) + at(0, 1) * across.part;
        const bottom = at(1, 0) * (1 - across.part) + at(1, 1) * across.part;
        data[(y * size + z) * x.channels + c] = top * (1 - down.part) + bottom * down.part;
      }
    }
  }
  return { height: size, width: size, channels: x.channels, data };
}
