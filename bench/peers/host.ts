/** An array on the host, row-major. */
export interface HostTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

export type HostTensors = Readonly<Record<string, HostTensor>>;

export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

/** @throws Error if a workload has no input of that name: a mistake in its table. */
export function need(tensors: HostTensors, name: string): HostTensor {
  const found = tensors[name];
  if (!found) throw new Error(`The workload has no input "${name}"; it has ${Object.keys(tensors).join(', ')}.`);
  return found;
}

/** Like `need`, for several at once. */
export function needAll<const Names extends readonly string[]>(
  tensors: HostTensors,
  names: Names,
): { [Index in keyof Names]: HostTensor } {
  return names.map((name) => need(tensors, name)) as { [Index in keyof Names]: HostTensor };
}

/** Numbers in [-1, 1) from a fixed sequence per seed (a 32-bit mix of the index), times `scale`, plus `offset`. */
export function uniform(shape: readonly number[], seed: number, scale = 1, offset = 0): HostTensor {
  const data = new Float32Array(sizeOf(shape));
  let state = Math.imul(seed + 1, 0x9e3779b9) >>> 0;
  for (let i = 0; i < data.length; i++) {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    data[i] = (((x ^ (x >>> 14)) >>> 0) / 2 ** 31 - 1) * scale + offset;
  }
  return { shape, data };
}

export const constant = (shape: readonly number[], value: number): HostTensor => ({
  shape,
  data: new Float32Array(sizeOf(shape)).fill(value),
});

/** Axis i of the result is axis `axes[i]` of `x`. For libraries with another layout, and for their results. */
export function permute({ shape, data }: HostTensor, axes: readonly number[]): HostTensor {
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const outShape = axes.map((axis) => shape[axis] ?? 1);
  const steps = axes.map((axis) => strides[axis] ?? 0);
  const out = data instanceof Int32Array ? new Int32Array(data.length) : new Float32Array(data.length);
  const index = axes.map(() => 0);
  let from = 0;
  for (let i = 0; i < out.length; i++) {
    out[i] = data[from] ?? 0;
    for (let axis = axes.length - 1; axis >= 0; axis--) {
      const next = (index[axis] ?? 0) + 1;
      from += steps[axis] ?? 0;
      if (next < (outShape[axis] ?? 1)) {
        index[axis] = next;
        break;
      }
      from -= next * (steps[axis] ?? 0);
      index[axis] = 0;
    }
  }
  return { shape: outShape, data: out };
}

/** `[batch, height, width, channels]` to `[batch, channels, height, width]`; weights `[out, height, width, in]` alike. */
export const channelsFirst = (x: HostTensor): HostTensor => permute(x, [0, 3, 1, 2]);
export const channelsLast = (x: HostTensor): HostTensor => permute(x, [0, 2, 3, 1]);
