/** `a [m, k] x b [k, n]` in double precision, optionally from stored transposes, at offsets of larger arrays. */
export interface Product {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  readonly offsetA?: number;
  readonly offsetB?: number;
}

export function matmul(a: ArrayLike<number>, b: ArrayLike<number>, product: Product): Float64Array {
  const { m, k, n, transposeA = false, transposeB = false, offsetA = 0, offsetB = 0 } = product;
  const c = new Float64Array(m * n);
  const right = new Float64Array(k * n);
  for (let p = 0; p < k; p++)
    for (let j = 0; j < n; j++) right[p * n + j] = b[offsetB + (transposeB ? j * k + p : p * n + j)] as number;
  for (let i = 0; i < m; i++)
    for (let p = 0; p < k; p++) {
      const value = a[offsetA + (transposeA ? p * m + i : i * k + p)] as number;
      for (let j = 0; j < n; j++) c[i * n + j] = (c[i * n + j] as number) + value * (right[p * n + j] as number);
    }
  return c;
}

/** Softmax of every row of `x [rows, width]`. */
export function softmax(x: ArrayLike<number>, width: number): Float64Array {
  const y = Float64Array.from(x);
  for (let begin = 0; begin < y.length; begin += width) {
    const row = y.subarray(begin, begin + width);
    const largest = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    let sum = 0;
    for (let i = 0; i < width; i++) {
      row[i] = Math.exp((row[i] as number) - largest);
      sum += row[i] as number;
    }
    for (let i = 0; i < width; i++) row[i] = (row[i] as number) / sum;
  }
  return y;
}

export interface AttentionShape {
  /** Batch times heads. */
  readonly heads: number;
  readonly tokens: number;
  readonly depth: number;
}

type Triple = readonly [ArrayLike<number>, ArrayLike<number>, ArrayLike<number>];

/** `softmax(q k^T / sqrt(d)) v` for `[heads, tokens, depth]`, and the gradients of q, k and v. */
export function attention([q, k, v]: Triple, { heads, tokens, depth }: AttentionShape) {
  const y = new Float64Array(heads * tokens * depth);
  const scale = 1 / Math.sqrt(depth);
  const probabilities: Float64Array[] = [];
  for (let head = 0; head < heads; head++) {
    const offset = head * tokens * depth;
    const scores = matmul(q, k, {
      m: tokens,
      k: depth,
      n: tokens,
      transposeB: true,
      offsetA: offset,
      offsetB: offset,
    }).map((score) => score * scale);
    const weights = softmax(scores, tokens);
    probabilities.push(weights);
    y.set(matmul(weights, v, { m: tokens, k: tokens, n: depth, offsetB: offset }), offset);
  }
  const grad = (dy: ArrayLike<number>) => {
    const [dq, dk, dv] = [new Float64Array(y.length), new Float64Array(y.length), new Float64Array(y.length)];
    for (const [head, weights] of probabilities.entries()) {
      const offset = head * tokens * depth;
      const square = { m: tokens, n: tokens, k: depth, offsetA: offset, offsetB: offset };
      const dWeights = matmul(dy, v, { ...square, transposeB: true });
      const dScores = new Float64Array(tokens * tokens);
      for (let row = 0; row < tokens; row++) {
        let dot = 0;
        const at = (column: number): number => row * tokens + column;
        for (let i = 0; i < tokens; i++) dot += (weights[at(i)] as number) * (dWeights[at(i)] as number);
        for (let i = 0; i < tokens; i++)
          dScores[at(i)] = (weights[at(i)] as number) * ((dWeights[at(i)] as number) - dot) * scale;
      }
      const narrow = { m: tokens, k: tokens, n: depth, offsetB: offset };
      dq.set(matmul(dScores, k, narrow), offset);
      dk.set(matmul(dScores, q, { ...narrow, transposeA: true }), offset);
      dv.set(matmul(weights, dy, { ...narrow, transposeA: true }), offset);
    }
    return { dq, dk, dv };
  };
  return { y, grad };
}
