import type { HostTensors } from '../host.ts';
import { need } from '../host.ts';
import { encoderLogits, resNet50, smallCnn } from '../models.ts';
import { ReferenceTape, Value } from './tape.ts';

/** Adam as in PyTorch, with its defaults. */
export const adamOptions = { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, eps: 1e-8 } as const;

/** Updates `values` in place in double precision; `step` counts from 1. */
export function adamStep(
  values: Float64Array,
  grads: ArrayLike<number>,
  [first, second]: readonly [Float64Array, Float64Array],
  step: number,
): void {
  const { learningRate, beta1, beta2, eps } = adamOptions;
  for (let i = 0; i < values.length; i++) {
    const g = grads[i] as number;
    const m = beta1 * (first[i] as number) + (1 - beta1) * g;
    const v = beta2 * (second[i] as number) + (1 - beta2) * g * g;
    first[i] = m;
    second[i] = v;
    const change = m / (1 - beta1 ** step) / (Math.sqrt(v / (1 - beta2 ** step)) + eps);
    values[i] = (values[i] as number) - learningRate * change;
  }
}

function train(
  inputs: HostTensors,
  steps: number,
  logits: (tape: ReferenceTape, x: Value) => Value,
): Record<string, Float64Array> {
  const { x, labels, ...rest } = inputs;
  if (!x || !labels) throw new Error('A train step needs x and labels.');
  const state = Object.entries(rest).map(([name, { shape, data }]) => ({
    name,
    shape,
    values: Float64Array.from(data),
    moments: [new Float64Array(data.length), new Float64Array(data.length)] as const,
  }));
  const losses = Float64Array.from({ length: steps }, (_, step) => {
    const parameters = new Map(state.map(({ name, shape, values }) => [name, new Value(shape, values)]));
    const tape = new ReferenceTape(parameters);
    const loss = tape.crossEntropy(logits(tape, new Value(x.shape, x.data)), labels.data);
    tape.backward();
    for (const { name, values, moments } of state) {
      const { grad = new Float64Array(0) } = parameters.get(name) ?? {};
      adamStep(values, grad, moments, step + 1);
    }
    return loss;
  });
  return { losses };
}

/** Losses of the first steps of the small CNN. */
export const cnnLosses = (inputs: HostTensors, steps: number): Record<string, Float64Array> =>
  train(inputs, steps, (tape, x) => tape.linear(smallCnn(tape.network(true), x), 'fc'));

/** Losses of the first steps of the transformer encoder. */
export const encoderLosses = (inputs: HostTensors, steps: number): Record<string, Float64Array> =>
  train(inputs, steps, (tape, x) => encoderLogits(tape.encoder(), x));

export function resNet50Features(inputs: HostTensors): Record<string, Float64Array> {
  const { x: _, ...rest } = inputs;
  const image = need(inputs, 'x');
  const parameters = new Map(Object.entries(rest).map(([name, { shape, data }]) => [name, new Value(shape, data)]));
  const { data } = resNet50(new ReferenceTape(parameters).network(false), new Value(image.shape, image.data));
  return { y: data };
}
