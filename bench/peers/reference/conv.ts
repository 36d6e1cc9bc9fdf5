/** Convolution in double precision: `x [n, h, w, c]`, `w [out, kh, kw, c]`, square kernels, strides and padding. */
export interface ConvShape {
  readonly batch: number;
  readonly size: number;
  readonly channels: number;
  readonly filters: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
}

export const outSize = ({ size, kernel, stride, padding }: ConvShape): number =>
  Math.floor((size + 2 * padding - kernel) / stride) + 1;

/** Calls `visit` for every pair of an output pixel and an input pixel under its window. */
function visitTaps(shape: ConvShape, visit: (outPixel: number, inPixel: number, tap: number) => void): void {
  const { batch, size, kernel, stride, padding } = shape;
  const out = outSize(shape);
  for (let n = 0; n < batch; n++)
    for (let oy = 0; oy < out; oy++)
      for (let ox = 0; ox < out; ox++)
        for (let ky = 0; ky < kernel; ky++) {
          const y = oy * stride + ky - padding;
          if (y < 0 || y >= size) continue;
          for (let kx = 0; kx < kernel; kx++) {
            const x = ox * stride + kx - padding;
            if (x >= 0 && x < size) visit((n * out + oy) * out + ox, (n * size + y) * size + x, ky * kernel + kx);
          }
        }
}

export function conv2d(x: ArrayLike<number>, w: ArrayLike<number>, shape: ConvShape): Float64Array {
  const { batch, channels, filters, kernel } = shape;
  const taps = kernel * kernel;
  // Filters innermost, so that the innermost loop runs over neighbours even for three channels.
  const turned = new Float64Array(w.length);
  for (let o = 0; o < filters; o++)
    for (let i = 0; i < taps * channels; i++) turned[i * filters + o] = w[o * taps * channels + i] as number;
  const image = Float64Array.from(x);
  const y = new Float64Array(batch * outSize(shape) ** 2 * filters);
  visitTaps(shape, (outPixel, inPixel, tap) => {
    const to = outPixel * filters;
    for (let c = 0; c < channels; c++) {
      const value = image[inPixel * channels + c] as number;
      const from = (tap * channels + c) * filters;
      for (let o = 0; o < filters; o++) y[to + o] = (y[to + o] as number) + value * (turned[from + o] as number);
    }
  });
  return y;
}

export function conv2dInputGrad(dy: ArrayLike<number>, w: ArrayLike<number>, shape: ConvShape): Float64Array {
  const { batch, size, channels, filters, kernel } = shape;
  const [upstream, weight] = [Float64Array.from(dy), Float64Array.from(w)];
  const dx = new Float64Array(batch * size ** 2 * channels);
  visitTaps(shape, (outPixel, inPixel, tap) => {
    const to = inPixel * channels;
    for (let o = 0; o < filters; o++) {
      const value = upstream[outPixel * filters + o] as number;
      const from = (o * kernel * kernel + tap) * channels;
      for (let c = 0; c < channels; c++) dx[to + c] = (dx[to + c] as number) + value * (weight[from + c] as number);
    }
  });
  return dx;
}

export function conv2dWeightGrad(x: ArrayLike<number>, dy: ArrayLike<number>, shape: ConvShape): Float64Array {
  const { channels, filters, kernel } = shape;
  const [image, upstream] = [Float64Array.from(x), Float64Array.from(dy)];
  const dw = new Float64Array(filters * kernel * kernel * channels);
  visitTaps(shape, (outPixel, inPixel, tap) => {
    const from = inPixel * channels;
    for (let o = 0; o < filters; o++) {
      const value = upstream[outPixel * filters + o] as number;
      const to = (o * kernel * kernel + tap) * channels;
      for (let c = 0; c < channels; c++) dw[to + c] = (dw[to + c] as number) + value * (image[from + c] as number);
    }
  });
  return dw;
}
