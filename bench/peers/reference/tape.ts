import type { EncoderOps, NetworkOps } from '../models.ts';
import { encoder } from '../models.ts';
import type { ConvShape } from './conv.ts';
import { conv2d, conv2dInputGrad, conv2dWeightGrad, outSize } from './conv.ts';
import { attention, matmul, softmax } from './matrix.ts';
import { normalize } from './norm.ts';

/** An array in double precision with its gradient. */
export class Value {
  readonly shape: readonly number[];
  readonly data: Float64Array;
  readonly grad: Float64Array;

  constructor(shape: readonly number[], data: ArrayLike<number>) {
    this.shape = shape;
    this.data = Float64Array.from(data);
    this.grad = new Float64Array(this.data.length);
  }

  addGrad(values: ArrayLike<number>): void {
    for (let i = 0; i < this.grad.length; i++) this.grad[i] = (this.grad[i] as number) + (values[i] as number);
  }
}

const axis = (x: Value, i: number): number => x.shape.at(i) ?? 1;

// Abramowitz and Stegun 7.1.26 is too coarse here: the series and the continued fraction are exact to double precision.
function erf(x: number): number {
  const a = Math.abs(x);
  if (a > 6) return Math.sign(x);
  let [term, sum] = [a, a];
  for (let n = 1; Math.abs(term) > 1e-17 * sum; n++) {
    term *= (-a * a) / n;
    sum += term / (2 * n + 1);
  }
  return (Math.sign(x) * 2 * sum) / Math.sqrt(Math.PI);
}

/** Records what `backward` has to do: the reference of the train steps, as plain as it can be. */
export class ReferenceTape {
  private readonly parameters: ReadonlyMap<string, Value>;
  private readonly steps: (() => void)[] = [];

  constructor(parameters: ReadonlyMap<string, Value>) {
    this.parameters = parameters;
  }

  private parameter(name: string): Value {
    const found = this.parameters.get(name);
    if (!found) throw new Error(`The reference has no parameter "${name}".`);
    return found;
  }

  private push(y: Value, step: () => void): Value {
    this.steps.push(step);
    return y;
  }

  backward(): void {
    for (const step of this.steps.reverse()) step();
  }

  /** @param train batch statistics, else the running ones. */
  network(train: boolean): NetworkOps<Value> {
    return {
      conv: (x, weight, options) => {
        const w = this.parameter(weight);
        const shape: ConvShape = {
          batch: axis(x, 0),
          size: axis(x, 1),
          channels: axis(x, -1),
          filters: axis(w, 0),
          kernel: axis(w, 1),
          ...options,
        };
        const out = outSize(shape);
        const y = new Value([shape.batch, out, out, shape.filters], conv2d(x.data, w.data, shape));
        return this.push(y, () => {
          x.addGrad(conv2dInputGrad(y.grad, w.data, shape));
          w.addGrad(conv2dWeightGrad(x.data, y.grad, shape));
        });
      },
      norm: (x, name) => (train ? this.normalized(x, name, 'rows') : this.frozenNorm(x, name)),
      relu: (x) => {
        const y = new Value(
          x.shape,
          x.data.map((v) => Math.max(v, 0)),
        );
        return this.push(y, () => x.addGrad(y.grad.map((dy, i) => ((x.data[i] as number) > 0 ? dy : 0))));
      },
      add: this.add,
      maxPool: maxPool3x3,
      globalMean: (x) => this.meanOfRows(x, axis(x, 1) * axis(x, 2)),
      again: (x) => x,
    };
  }

  encoder(): EncoderOps<Value> {
    return {
      linear: (x, name) => this.linear(x, name),
      layerNorm: (x, name) => this.normalized(x, name, 'features'),
      gelu: (x) => {
        const cdf = x.data.map((v) => 0.5 * (1 + erf(v / Math.SQRT2)));
        const y = new Value(
          x.shape,
          x.data.map((v, i) => v * (cdf[i] as number)),
        );
        const slope = (v: number, i: number): number =>
          (cdf[i] as number) + (v * Math.exp((-v * v) / 2)) / Math.sqrt(2 * Math.PI);
        return this.push(y, () => x.addGrad(x.data.map((v, i) => slope(v, i) * (y.grad[i] as number))));
      },
      add: this.add,
      attention: (q, k, v) => this.attention(q, k, v),
      tokenMean: (x) => this.meanOfRows(x, axis(x, 1)),
      again: (x) => x,
    };
  }

  /** `x w^T + b` over the last axis. */
  linear(x: Value, name: string): Value {
    const [w, b] = [this.parameter(`${name}.weight`), this.parameter(`${name}.bias`)];
    const [n, k] = [axis(w, 0), axis(w, 1)];
    const m = x.data.length / k;
    const product = matmul(x.data, w.data, { m, k, n, transposeB: true });
    const y = new Value(
      [...x.shape.slice(0, -1), n],
      product.map((v, i) => v + (b.data[i % n] as number)),
    );
    return this.push(y, () => {
      x.addGrad(matmul(y.grad, w.data, { m, k: n, n: k }));
      w.addGrad(matmul(y.grad, x.data, { m: n, k: m, n: k, transposeA: true }));
      for (const [i, dy] of y.grad.entries()) b.grad[i % n] = (b.grad[i % n] as number) + dy;
    });
  }

  /** Mean cross-entropy of logits `[rows, classes]`; backward starts here. */
  crossEntropy(logits: Value, labels: ArrayLike<number>): number {
    const [rows, classes] = [axis(logits, 0), axis(logits, 1)];
    const probabilities = softmax(logits.data, classes);
    const at = (row: number): number => row * classes + (labels[row] as number);
    this.steps.push(() => {
      const dx = probabilities.map((p) => p / rows);
      for (let row = 0; row < rows; row++) dx[at(row)] = (dx[at(row)] as number) - 1 / rows;
      logits.addGrad(dx);
    });
    let loss = 0;
    for (let row = 0; row < rows; row++) loss -= Math.log(probabilities[at(row)] as number) / rows;
    return loss;
  }

  private readonly add = (a: Value, b: Value): Value => {
    const y = new Value(
      a.shape,
      a.data.map((v, i) => v + (b.data[i] as number)),
    );
    return this.push(y, () => {
      a.addGrad(y.grad);
      b.addGrad(y.grad);
    });
  };

  private normalized(x: Value, name: string, over: 'rows' | 'features'): Value {
    const [weight, bias] = [this.parameter(`${name}.weight`), this.parameter(`${name}.bias`)];
    const { y: data, grad } = normalize(x.data, weight.data, bias.data, over);
    const y = new Value(x.shape, data);
    return this.push(y, () => {
      const { dx, dWeight, dBias } = grad(y.grad);
      x.addGrad(dx);
      weight.addGrad(dWeight);
      bias.addGrad(dBias);
    });
  }

  /** Without a gradient: only the forward pass of ResNet-50 uses it. */
  private frozenNorm(x: Value, name: string): Value {
    const [weight, bias, mean, variance] = ['weight', 'bias', 'running_mean', 'running_var'].map(
      (part) => this.parameter(`${name}.${part}`).data,
    );
    if (!weight || !bias || !mean || !variance) throw new Error(`The reference lacks a parameter of "${name}".`);
    const channels = weight.length;
    const data = x.data.map((v, i) => {
      const c = i % channels;
      const unit = (v - (mean[c] as number)) / Math.sqrt((variance[c] as number) + 1e-5);
      return unit * (weight[c] as number) + (bias[c] as number);
    });
    return new Value(x.shape, data);
  }

  /** `[batch, ..., features]`: mean over `count` rows of every batch element. */
  private meanOfRows(x: Value, count: number): Value {
    const [batch, features] = [axis(x, 0), axis(x, -1)];
    const y = new Value([batch, features], new Float64Array(batch * features));
    const target = (i: number): number => Math.floor(i / (count * features)) * features + (i % features);
    for (const [i, v] of x.data.entries()) y.data[target(i)] = (y.data[target(i)] as number) + v / count;
    return this.push(y, () => x.addGrad(x.data.map((_, i) => (y.grad[target(i)] as number) / count)));
  }

  private attention(q: Value, k: Value, v: Value): Value {
    const { batch, tokens, hidden, heads } = encoder;
    const depth = hidden / heads;
    const place = (i: number): number => {
      const [d, t, h] = [i % depth, Math.floor(i / depth) % tokens, Math.floor(i / (depth * tokens)) % heads];
      return (Math.floor(i / (depth * tokens * heads)) * tokens + t) * hidden + h * depth + d;
    };
    const split = (x: Float64Array): Float64Array => x.map((_, i) => x[place(i)] as number);
    const join = (x: Float64Array): Float64Array => {
      const y = new Float64Array(x.length);
      for (const [i, value] of x.entries()) y[place(i)] = value;
      return y;
    };
    const shape = { heads: batch * heads, tokens, depth };
    const { y: data, grad } = attention([split(q.data), split(k.data), split(v.data)], shape);
    const y = new Value(q.shape, join(data));
    return this.push(y, () => {
      const { dq, dk, dv } = grad(split(y.grad));
      q.addGrad(join(dq));
      k.addGrad(join(dk));
      v.addGrad(join(dv));
    });
  }
}

/** Without a gradient: only the forward pass of ResNet-50 uses it. */
function maxPool3x3(x: Value): Value {
  const [batch, size, channels] = [axis(x, 0), axis(x, 1), axis(x, -1)];
  const out = Math.floor((size - 1) / 2) + 1;
  const y = new Value([batch, out, out, channels], new Float64Array(batch * out * out * channels).fill(-Infinity));
  for (const [i, value] of x.data.entries()) {
    const [c, column, row] = [i % channels, Math.floor(i / channels) % size, Math.floor(i / (channels * size)) % size];
    const n = Math.floor(i / (channels * size * size));
    for (let oy = Math.floor(row / 2); oy <= Math.min(out - 1, Math.floor((row + 1) / 2)); oy++)
      for (let ox = Math.floor(column / 2); ox <= Math.min(out - 1, Math.floor((column + 1) / 2)); ox++) {
        const to = ((n * out + oy) * out + ox) * channels + c;
        y.data[to] = Math.max(y.data[to] as number, value);
      }
  }
  return y;
}
