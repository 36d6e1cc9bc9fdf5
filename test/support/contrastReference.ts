/** Settings of the sentence-local loss, as in `LocalContrastOptions`. */
export interface LocalSettings {
  readonly tau1: number;
  readonly tau2: number;
  readonly tau3: number;
  readonly attention: 'cosine' | 'dot';
  readonly normalization: 'regions' | 'sentences_regions';
  readonly aggregation: 'sum' | 'mean';
}

export interface LocalSizes {
  readonly batch: number;
  readonly regions: number;
  readonly sentences: number;
  readonly width: number;
}

const eps = 1e-8;

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}

function norm(a: ArrayLike<number>): number {
  return Math.sqrt(dot(a, a));
}

function softmax(x: readonly number[]): number[] {
  const largest = Math.max(...x);
  const weights = x.map((value) => Math.exp(value - largest));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}

function logSumExp(x: readonly number[]): number {
  const largest = Math.max(...x);
  return largest + Math.log(x.reduce((sum, value) => sum + Math.exp(value - largest), 0));
}

/** Mean cross entropies of rows and columns of `z / tau` `[batch, batch]` against the diagonal, in float64. */
export function pairLosses(
  z: ArrayLike<number>,
  batch: number,
  tau: number,
  equal: (i: number, k: number) => boolean = () => false,
): { vt: number; tv: number } {
  const line = (i: number, at: (k: number) => number): number => {
    const logits = [...Array(batch).keys()].filter((k) => k === i || !equal(i, k)).map((k) => (z[at(k)] ?? 0) / tau);
    return logSumExp(logits) - (z[i * batch + i] ?? 0) / tau;
  };
  let [vt, tv] = [0, 0];
  for (let i = 0; i < batch; i++) {
    vt += line(i, (k) => i * batch + k) / batch;
    tv += line(i, (k) => k * batch + i) / batch;
  }
  return { vt, tv };
}

/**
 * The sentence-local similarity straight from its definition, in float64 and without any rearrangement.
 * @param v regions `[batch, regions, width]`; `t` sentences `[batch, sentences, width]`; `mask` `[batch, sentences]`
 */
export function localReference(
  v: Float64Array,
  t: Float64Array,
  mask: ArrayLike<number>,
  { batch, regions, sentences, width }: LocalSizes,
  { tau2, tau3, attention, normalization, aggregation }: LocalSettings,
): { attention: Float64Array; cosine: Float64Array; similarity: Float64Array } {
  const region = (i: number, m: number) => v.subarray((i * regions + m) * width, (i * regions + m + 1) * width);
  const sentence = (k: number, p: number) => t.subarray((k * sentences + p) * width, (k * sentences + p + 1) * width);
  const weights = new Float64Array(batch * batch * sentences * regions);
  const cosine = new Float64Array(batch * batch * sentences);
  const similarity = new Float64Array(batch * batch);
  for (let i = 0; i < batch; i++) {
    for (let k = 0; k < batch; k++) {
      const real = [...Array(sentences).keys()].filter((p) => mask[k * sentences + p]);
      const scores = real.map((p) =>
        Array.from({ length: regions }, (_, m) => {
          const product = dot(region(i, m), sentence(k, p));
          const norms = Math.max(norm(region(i, m)), eps) * Math.max(norm(sentence(k, p)), eps);
          return attention === 'cosine' ? product / norms : product;
        }),
      );
      if (normalization === 'sentences_regions') {
        for (let m = 0; m < regions; m++) {
          for (const [row, share] of softmax(scores.map((own) => own[m] ?? 0)).entries())
            (scores[row] ?? [])[m] = share;
        }
      }
      const cosines = real.map((p, row) => {
        const a = softmax((scores[row] ?? []).map((score) => score / tau2));
        const attended = Array.from({ length: width }, (_, d) =>
          a.reduce((c, am, m) => c + am * (region(i, m)[d] ?? 0), 0),
        );
        const pair = (i * batch + k) * sentences + p;
        weights.set(a, pair * regions);
        const own = sentence(k, p);
        const r = dot(attended, own) / Math.max(norm(attended) * norm(own), eps);
        cosine[pair] = r;
        return r;
      });
      const pooled = tau3 * logSumExp(cosines.map((r) => r / tau3));
      similarity[i * batch + k] = aggregation === 'mean' ? pooled - tau3 * Math.log(real.length) : pooled;
    }
  }
  return { attention: weights, cosine, similarity };
}
