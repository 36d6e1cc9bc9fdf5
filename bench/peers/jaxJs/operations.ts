import * as jax from '@jax-js/jax';
import type { HostTensor, HostTensors } from '../host.ts';
import { channelsFirst, channelsLast, need, permute } from '../host.ts';
import type { Prepared, WorkloadTable } from '../library.ts';
import type { ConvShape } from '../reference/conv.ts';
import { chain, conv3x3, convStem } from '../workloads.ts';
import type { JaxArray } from './work.ts';
import { JaxWork, upload } from './work.ts';

const { numpy: np, lax, nn } = jax;

type Compute = (...arrays: JaxArray[]) => JaxArray[];

interface JittedOptions {
  readonly inputs: readonly string[];
  readonly results: readonly string[];
  /** Takes ownership of its arguments, as functions of jax-js do. */
  readonly compute: Compute;
  readonly note?: string;
  /** Inputs and results of four dimensions change between channels last and first. */
  readonly channelsFirst?: boolean;
  readonly turnIn?: (host: HostTensor) => HostTensor;
  readonly turnOut?: (host: HostTensor) => HostTensor;
}

function jitted({ inputs, results, compute, note = 'jit', ...turns }: JittedOptions) {
  return async (given: HostTensors): Promise<Prepared> => {
    const into = turns.turnIn ?? (turns.channelsFirst ? channelsFirst : undefined);
    const back = turns.turnOut ?? (turns.channelsFirst ? channelsLast : undefined);
    const isImage = (host: HostTensor): boolean => host.shape.length === 4;
    const arrays = inputs.map((name) => {
      const host = need(given, name);
      return upload(into && isImage(host) ? into(host) : host);
    });
    const compiled = jax.jit(compute);
    const turn = (host: HostTensor): HostTensor => (back && isImage(host) ? back(host) : host);
    return new JaxWork({
      note,
      call: () => compiled(...arrays.map((array) => array.ref)),
      names: results,
      turn: Object.fromEntries(results.map((name) => [name, turn])),
      free: () => {
        for (const array of arrays) array.dispose();
        compiled.dispose();
      },
    });
  };
}

export function conv(
  x: JaxArray,
  w: JaxArray,
  { stride, padding }: { readonly stride: number; readonly padding: number },
): JaxArray {
  return lax.convGeneralDilated(
    x,
    w,
    [stride, stride],
    [
      [padding, padding],
      [padding, padding],
    ],
  );
}

const forward = (shape: ConvShape) =>
  jitted({
    inputs: ['x', 'w'],
    results: ['y'],
    compute: (x, w) => [conv(given(x), given(w), shape)],
    channelsFirst: true,
    note: 'jit, channels first',
  });

function given(array: JaxArray | undefined): JaxArray {
  if (!array) throw new Error('A function of the jax-js benchmark got too few arrays.');
  return array;
}

/** `f` and the gradients of all its arguments; the last argument is the gradient of its result. */
function withGradients(f: (...arrays: JaxArray[]) => JaxArray, withResult = true): Compute {
  return (...all) => {
    const dy = given(all.at(-1));
    const [y, pull] = jax.vjp(f, all.slice(0, -1));
    const gradients = pull(dy) as JaxArray[];
    pull.dispose();
    if (withResult) return [y, ...gradients];
    y.dispose();
    return gradients;
  };
}

const affine = (unit: JaxArray, weight: JaxArray, bias: JaxArray, shape: number[]): JaxArray =>
  unit.mul(weight.reshape(shape)).add(bias.reshape(shape));

/** Batch statistics; `x` has its channels first. */
export const batchNorm = (x: JaxArray, weight: JaxArray, bias: JaxArray): JaxArray =>
  affine(nn.standardize(x, [0, 2, 3]), weight, bias, [1, -1, 1, 1]);

export const layerNorm = (x: JaxArray, weight: JaxArray, bias: JaxArray): JaxArray =>
  affine(nn.standardize(x, -1), weight, bias, [-1]);

/** `[batch, heads, tokens, depth]` to `[batch, tokens, heads, depth]` and back. */
const headsInside = (host: HostTensor): HostTensor => permute(host, [0, 2, 1, 3]);

const three =
  (f: (a: JaxArray, b: JaxArray, c: JaxArray) => JaxArray) =>
  (...[a, b, c]: JaxArray[]): JaxArray =>
    f(given(a), given(b), given(c));

const attend = three((q, k, v) => nn.dotProductAttention(q, k, v));

export const jaxOperations: WorkloadTable = {
  'matmul 512': jitted({
    inputs: ['a', 'b'],
    results: ['y'],
    compute: (a, b) => [np.matmul(given(a), given(b))],
  }),
  'conv 3x3': forward(conv3x3),
  'conv 3x3 input gradient': jitted({
    inputs: ['x', 'w', 'dy'],
    results: ['dx'],
    compute: (x, w, dy) => withGradients((image) => conv(given(image), given(w), conv3x3), false)(given(x), given(dy)),
    channelsFirst: true,
    note: 'jit of vjp, channels first',
  }),
  'conv 3x3 weight gradient': jitted({
    inputs: ['x', 'w', 'dy'],
    results: ['dw'],
    compute: (x, w, dy) =>
      withGradients((weight) => conv(given(x), given(weight), conv3x3), false)(given(w), given(dy)),
    channelsFirst: true,
    note: 'jit of vjp, channels first',
  }),
  'conv 7x7 stem': forward(convStem),
  'batch norm': jitted({
    inputs: ['x', 'weight', 'bias', 'dy'],
    results: ['y', 'dx', 'dWeight', 'dBias'],
    compute: withGradients(three(batchNorm)),
    channelsFirst: true,
    note: 'jit of vjp of nn.standardize, channels first, no running statistics',
  }),
  'layer norm': jitted({
    inputs: ['x', 'weight', 'bias', 'dy'],
    results: ['y', 'dx', 'dWeight', 'dBias'],
    compute: withGradients(three(layerNorm)),
    note: 'jit of vjp of nn.standardize',
  }),
  attention: jitted({
    inputs: ['q', 'k', 'v'],
    results: ['y'],
    compute: (...arrays) => [attend(...arrays)],
    turnIn: headsInside,
    turnOut: headsInside,
    note: 'jit of nn.dotProductAttention',
  }),
  'attention backward': jitted({
    inputs: ['q', 'k', 'v', 'dy'],
    results: ['y', 'dq', 'dk', 'dv'],
    compute: withGradients(attend),
    turnIn: headsInside,
    turnOut: headsInside,
    note: 'jit of vjp of nn.dotProductAttention',
  }),
  softmax: jitted({ inputs: ['x'], results: ['y'], compute: (x) => [nn.softmax(given(x), -1)] }),
  'tiny operations': async (inputs) => {
    const [x, step] = [upload(need(inputs, 'x')), upload(need(inputs, 'step'))];
    return new JaxWork({
      note: 'eager: jit would make one kernel of the chain',
      call: () => {
        let sum = x.ref;
        for (let i = 0; i < chain.operations; i++) sum = sum.add(step.ref);
        return [sum];
      },
      names: ['y'],
      free: () => {
        x.dispose();
        step.dispose();
      },
    });
  },
};
