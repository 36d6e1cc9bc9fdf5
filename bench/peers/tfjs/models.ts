import type { Scalar, Tensor, Tensor1D, Tensor4D, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { HostTensors } from '../host.ts';
import { need } from '../host.ts';
import type { WorkloadTable } from '../library.ts';
import type { EncoderOps, NetworkOps } from '../models.ts';
import { cnn, encoder, encoderLogits, resNet50, smallCnn } from '../models.ts';
import { adamOptions } from '../reference/networks.ts';
import { attention, batchNorm, conv, layerNorm } from './operations.ts';
import type { Sync } from './work.ts';
import { TfjsWork, toFilter, upload } from './work.ts';

type Parameters = Readonly<Record<string, Tensor>>;

function take(parameters: Parameters, name: string): Tensor {
  const found = parameters[name];
  if (!found) throw new Error(`The network of TensorFlow.js has no parameter "${name}".`);
  return found;
}

function network(parameters: Parameters, train: boolean): NetworkOps<Tensor> {
  const part = (name: string): Tensor => take(parameters, name);
  const vector = (name: string): Tensor1D => take(parameters, name) as Tensor1D;
  const frozen = (x: Tensor, name: string): Tensor => {
    const [mean, variance] = [vector(`${name}.running_mean`), vector(`${name}.running_var`)];
    return tf.batchNorm(x, mean, variance, vector(`${name}.bias`), vector(`${name}.weight`), 1e-5);
  };
  return {
    conv: (x, weight, options) => conv(x, part(weight), options),
    norm: (x, name) => (train ? batchNorm(x, part(`${name}.weight`), part(`${name}.bias`)) : frozen(x, name)),
    relu: (x) => tf.relu(x),
    add: (a, b) => tf.add(a, b),
    maxPool: (x) => tf.maxPool(x as Tensor4D, 3, 2, 1, 'floor'),
    globalMean: (x) => tf.mean(x, [1, 2]),
    again: (x) => x,
  };
}

/** Over the last axis of two or three; weights are `[out, in]`. */
function linear(parameters: Parameters, x: Tensor, name: string): Tensor {
  const rows = tf.reshape(x, [-1, x.shape.at(-1) ?? 1]);
  const product = tf.matMul(rows, take(parameters, `${name}.weight`), false, true);
  const y = tf.add(product, take(parameters, `${name}.bias`));
  return x.rank === 2 ? y : tf.reshape(y, [...x.shape.slice(0, -1), -1]);
}

function encoderOps(parameters: Parameters): EncoderOps<Tensor> {
  const { batch, tokens, heads, hidden } = encoder;
  const split = (x: Tensor): Tensor =>
    tf.transpose(tf.reshape(x, [batch, tokens, heads, hidden / heads]), [0, 2, 1, 3]);
  return {
    linear: (x, name) => linear(parameters, x, name),
    layerNorm: (x, name) => layerNorm(x, take(parameters, `${name}.weight`), take(parameters, `${name}.bias`)),
    gelu: (x) => tf.mul(x, tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5)),
    add: (a, b) => tf.add(a, b),
    attention: (q, k, v) =>
      tf.reshape(tf.transpose(attention(split(q), split(k), split(v)), [0, 2, 1, 3]), [batch, tokens, hidden]),
    tokenMean: (x) => tf.mean(x, 1),
    again: (x) => x,
  };
}

function adamOptimizer() {
  const { learningRate, beta1, beta2, eps } = adamOptions;
  return tf.train.adam(learningRate, beta1, beta2, eps);
}

let made = 0;

/** Variables are known by name in the whole process, and a workload may be prepared twice. */
function variables(weights: HostTensors): Record<string, Variable> {
  made++;
  return Object.fromEntries(
    Object.entries(weights).map(([name, host]) => {
      const tensor = upload(host.shape.length === 4 ? toFilter(host) : host);
      const variable = tf.variable(tensor, true, `${made}.${name}`);
      tensor.dispose();
      return [name, variable];
    }),
  );
}

export function tfjsModels(sync: Sync): WorkloadTable {
  const trainStep = (inputs: HostTensors, classes: number, logits: (parameters: Parameters, x: Tensor) => Tensor) => {
    const { x: image, labels, ...weights } = inputs;
    if (!image || !labels) throw new Error('A train step needs x and labels.');
    const parameters = variables(weights);
    const x = upload(image);
    const target = tf.tidy(() => tf.cast(tf.oneHot(tf.tensor1d(labels.data, 'int32'), classes), 'float32'));
    const optimizer = adamOptimizer();
    const lossOf = (): Scalar => tf.losses.softmaxCrossEntropy(target, logits(parameters, x)) as Scalar;
    return new TfjsWork({
      note: 'tf.train.adam, minimize',
      call: () => ({ loss: optimizer.minimize(lossOf, true) as Tensor }),
      sync,
      owned: [x, target, optimizer, ...Object.values(parameters)],
    });
  };
  return {
    'small CNN step': async (inputs) =>
      trainStep(inputs, cnn.classes, (parameters, x) =>
        linear(parameters, smallCnn(network(parameters, true), x), 'fc'),
      ),
    'transformer step': async (inputs) =>
      trainStep(inputs, encoder.classes, (parameters, x) => encoderLogits(encoderOps(parameters), x)),
    'ResNet-50 forward': async (inputs) => {
      const { x: _, ...weights } = inputs;
      const parameters = Object.fromEntries(
        Object.entries(weights).map(([name, host]) => [name, upload(host.shape.length === 4 ? toFilter(host) : host)]),
      );
      const x = upload(need(inputs, 'x'));
      return new TfjsWork({
        call: () => ({ y: resNet50(network(parameters, false), x) }),
        sync,
        owned: [x, ...Object.values(parameters)],
      });
    },
    'Adam 25M': async (inputs) => {
      const { values } = variables({ values: need(inputs, 'values') });
      if (!values) throw new Error('Adam needs values.');
      const grads = upload(need(inputs, 'grads'));
      const optimizer = adamOptimizer();
      return new TfjsWork({
        note: 'tf.train.adam, applyGradients',
        call: () => {
          // By name; the type of this argument asks for variables, the implementation for tensors.
          optimizer.applyGradients([{ name: values.name, tensor: grads }]);
          return {};
        },
        sync,
        changed: { values },
        owned: [values, grads, optimizer],
      });
    },
  };
}
