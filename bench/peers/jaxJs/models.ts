import * as jax from '@jax-js/jax';
import type { HostTensors } from '../host.ts';
import { channelsFirst, need } from '../host.ts';
import type { Prepared, WorkloadTable } from '../library.ts';
import type { EncoderOps, NetworkOps } from '../models.ts';
import { cnn, encoder, encoderLogits, resNet50, smallCnn } from '../models.ts';
import { adamOptions } from '../reference/networks.ts';
import { batchNorm, conv, layerNorm } from './operations.ts';
import type { JaxArray } from './work.ts';
import { JaxWork, upload } from './work.ts';

const { numpy: np, lax, nn } = jax;

type Parameters = { [name: string]: JaxArray };

/** Every parameter is used once, so the operations may take it. */
function take(parameters: Parameters, name: string): JaxArray {
  const found = parameters[name];
  if (!found) throw new Error(`The network of jax-js has no parameter "${name}".`);
  return found;
}

function network(parameters: Parameters, train: boolean): NetworkOps<JaxArray> {
  const part = (name: string): JaxArray => take(parameters, name);
  const perChannel = (name: string): JaxArray => part(name).reshape([1, -1, 1, 1]);
  const frozen = (x: JaxArray, name: string): JaxArray => {
    const rstd = np.reciprocal(np.sqrt(perChannel(`${name}.running_var`).add(1e-5)));
    const scale = rstd.mul(perChannel(`${name}.weight`));
    return x
      .sub(perChannel(`${name}.running_mean`))
      .mul(scale)
      .add(perChannel(`${name}.bias`));
  };
  return {
    conv: (x, weight, options) => conv(x, part(weight), options),
    norm: (x, name) => (train ? batchNorm(x, part(`${name}.weight`), part(`${name}.bias`)) : frozen(x, name)),
    relu: nn.relu,
    add: (a, b) => a.add(b),
    // There is no padding here; zeros do, because they come after a ReLU.
    maxPool: (x) => {
      const padded = np.pad(x, [
        [0, 0],
        [0, 0],
        [1, 1],
        [1, 1],
      ]);
      return lax.reduceWindow(padded, (window) => np.max(window), [3, 3], [2, 2]);
    },
    globalMean: (x) => np.mean(x, [2, 3]),
    again: (x) => x.ref,
  };
}

function linear(parameters: Parameters, x: JaxArray, name: string): JaxArray {
  return np.matmul(x, np.transpose(take(parameters, `${name}.weight`))).add(take(parameters, `${name}.bias`));
}

function encoderOps(parameters: Parameters): EncoderOps<JaxArray> {
  const { batch, tokens, heads, hidden } = encoder;
  const split = (x: JaxArray): JaxArray => x.reshape([batch, tokens, heads, hidden / heads]);
  return {
    linear: (x, name) => linear(parameters, x, name),
    layerNorm: (x, name) => layerNorm(x, take(parameters, `${name}.weight`), take(parameters, `${name}.bias`)),
    gelu: (x) => nn.gelu(x, { approximate: false }),
    add: (a, b) => a.add(b),
    attention: (q, k, v) => nn.dotProductAttention(split(q), split(k), split(v)).reshape([batch, tokens, hidden]),
    tokenMean: (x) => np.mean(x, 1),
    again: (x) => x.ref,
  };
}

/** The values, moments and scalars of one step of Adam; takes ownership of all of them. */
function adam(value: JaxArray, grad: JaxArray, first: JaxArray, second: JaxArray, rate: JaxArray, spread: JaxArray) {
  const { beta1, beta2, eps } = adamOptions;
  const m = first.mul(beta1).add(grad.ref.mul(1 - beta1));
  const v = second.mul(beta2).add(np.square(grad).mul(1 - beta2));
  const change = m.ref.mul(rate).div(np.sqrt(v.ref).mul(spread).add(eps));
  return [value.sub(change), m, v] as const;
}

const scalar = (value: number): JaxArray => np.array(Float32Array.of(value), { shape: [] });

/** `learningRate / (1 - beta1^step)` and `1 / sqrt(1 - beta2^step)`, as arrays, so that no step is compiled anew. */
function corrections(step: number): [JaxArray, JaxArray] {
  const { learningRate, beta1, beta2 } = adamOptions;
  return [scalar(learningRate / (1 - beta1 ** step)), scalar(1 / Math.sqrt(1 - beta2 ** step))];
}

const turned = (inputs: HostTensors): Parameters =>
  Object.fromEntries(
    Object.entries(inputs).map(([name, host]) => [name, upload(host.shape.length === 4 ? channelsFirst(host) : host)]),
  );

function trainStep(inputs: HostTensors, classes: number, logits: (parameters: Parameters, x: JaxArray) => JaxArray) {
  const { x: _, labels, ...weights } = inputs;
  const { data: classOf = new Int32Array(0) } = labels ?? {};
  const rows = classOf.length;
  const oneHot = new Float32Array(rows * classes);
  for (const [row, label] of classOf.entries()) oneHot[row * classes + label] = 1;
  const image = need(inputs, 'x');
  const x = upload(image.shape.length === 4 ? channelsFirst(image) : image);
  const target = upload({ shape: [rows, classes], data: oneHot });
  const names = Object.keys(weights);
  const lossOf = (parameters: Parameters, input: JaxArray, wanted: JaxArray): JaxArray =>
    np.sum(nn.logSoftmax(logits(parameters, input), -1).mul(wanted)).mul(-1 / rows);
  type State = { values: Parameters; first: Parameters; second: Parameters };
  const compiled = jax.jit((state: State, input: JaxArray, wanted: JaxArray, rate: JaxArray, spread: JaxArray) => {
    const [loss, grads] = jax.valueAndGrad(lossOf)(jax.tree.ref(state.values), input, wanted) as [JaxArray, Parameters];
    const next: State = { values: {}, first: {}, second: {} };
    for (const name of names) {
      const [value, m, v] = adam(
        take(state.values, name),
        take(grads, name),
        take(state.first, name),
        take(state.second, name),
        rate.ref,
        spread.ref,
      );
      next.values[name] = value;
      next.first[name] = m;
      next.second[name] = v;
    }
    rate.dispose();
    spread.dispose();
    return { state: next, loss };
  });
  const zeros = (): Parameters =>
    Object.fromEntries(
      Object.entries(turned(weights)).map(([name, array]) => {
        const { shape } = array;
        array.dispose();
        return [name, np.zeros(shape)];
      }),
    );
  let state: State = { values: turned(weights), first: zeros(), second: zeros() };
  let step = 0;
  return new JaxWork({
    note: 'jit of valueAndGrad and Adam together, as one function',
    call: () => {
      const result = compiled(state, x.ref, target.ref, ...corrections(++step)) as { state: State; loss: JaxArray };
      state = result.state;
      return [result.loss, ...jax.tree.leaves<JaxArray>(state).map((array) => array.ref)];
    },
    names: ['loss'],
    free: () => {
      jax.tree.dispose(state);
      x.dispose();
      target.dispose();
      compiled.dispose();
    },
  });
}

async function adam25M(inputs: HostTensors): Promise<Prepared> {
  const grads = upload(need(inputs, 'grads'));
  let state = [upload(need(inputs, 'values')), np.zeros(grads.shape), np.zeros(grads.shape)] as JaxArray[];
  const compiled = jax.jit(
    (value: JaxArray, m: JaxArray, v: JaxArray, grad: JaxArray, rate: JaxArray, spread: JaxArray) => [
      ...adam(value, grad, m, v, rate, spread),
    ],
  );
  let step = 0;
  return new JaxWork({
    note: 'jit',
    call: () => {
      const [values, m, v] = state as [JaxArray, JaxArray, JaxArray];
      state = compiled(values, m, v, grads.ref, ...corrections(++step)) as JaxArray[];
      return state.map((array) => array.ref);
    },
    names: ['values'],
    free: () => {
      for (const array of [...state, grads]) array.dispose();
      compiled.dispose();
    },
  });
}

export const jaxModels: WorkloadTable = {
  'small CNN step': async (inputs) =>
    trainStep(inputs, cnn.classes, (parameters, x) => linear(parameters, smallCnn(network(parameters, true), x), 'fc')),
  'transformer step': async (inputs) =>
    trainStep(inputs, encoder.classes, (parameters, x) => encoderLogits(encoderOps(parameters), x)),
  'ResNet-50 forward': async (inputs) => {
    const { x: _, ...weights } = inputs;
    const parameters = turned(weights);
    const x = upload(channelsFirst(need(inputs, 'x')));
    const compiled = jax.jit((given: Parameters, image: JaxArray) => resNet50(network(given, false), image));
    return new JaxWork({
      note: 'jit, channels first',
      call: () => [compiled(jax.tree.ref(parameters), x.ref)],
      names: ['y'],
      free: () => {
        jax.tree.dispose(parameters);
        x.dispose();
        compiled.dispose();
      },
    });
  },
  'Adam 25M': adam25M,
};
