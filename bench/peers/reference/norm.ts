export interface NormGradients {
  readonly y: Float64Array;
  readonly dx: Float64Array;
  readonly dWeight: Float64Array;
  readonly dBias: Float64Array;
}

interface Normalized {
  readonly y: Float64Array;
  readonly grad: (dy: ArrayLike<number>) => Omit<NormGradients, 'y'>;
}

/**
 * Normalisation of `x [rows, features]` over the rows (batch norm while training) or over the features (layer norm),
 * in double precision, and its gradient.
 */
export function normalize(
  x: ArrayLike<number>,
  weight: ArrayLike<number>,
  bias: ArrayLike<number>,
  over: 'rows' | 'features',
  eps = 1e-5,
): Normalized {
  const features = weight.length;
  const rows = x.length / features;
  const groups = over === 'rows' ? features : rows;
  const count = over === 'rows' ? rows : features;
  const groupOf = (i: number): number => (over === 'rows' ? i % features : Math.floor(i / features));
  const means = (values: (i: number) => number): Float64Array => {
    const sums = new Float64Array(groups);
    for (let i = 0; i < x.length; i++) sums[groupOf(i)] = (sums[groupOf(i)] as number) + values(i);
    return sums.map((sum) => sum / count);
  };
  const mean = means((i) => x[i] as number);
  const rstd = means((i) => ((x[i] as number) - (mean[groupOf(i)] as number)) ** 2).map((v) => 1 / Math.sqrt(v + eps));
  const unit = (i: number): number => ((x[i] as number) - (mean[groupOf(i)] as number)) * (rstd[groupOf(i)] as number);
  const y = Float64Array.from(x, (_, i) => unit(i) * (weight[i % features] as number) + (bias[i % features] as number));
  const grad = (dy: ArrayLike<number>): Omit<NormGradients, 'y'> => {
    const [dWeight, dBias] = [new Float64Array(features), new Float64Array(features)];
    for (let i = 0; i < x.length; i++) {
      const feature = i % features;
      dWeight[feature] = (dWeight[feature] as number) + (dy[i] as number) * unit(i);
      dBias[feature] = (dBias[feature] as number) + (dy[i] as number);
    }
    const scaled = (i: number): number => (dy[i] as number) * (weight[i % features] as number);
    const meanScaled = means(scaled);
    const meanProduct = means((i) => scaled(i) * unit(i));
    const dx = Float64Array.from(x, (_, i) => {
      const group = groupOf(i);
      return (
        (rstd[group] as number) * (scaled(i) - (meanScaled[group] as number) - unit(i) * (meanProduct[group] as number))
      );
    });
    return { dx, dWeight, dBias };
  };
  return { y, grad };
}
