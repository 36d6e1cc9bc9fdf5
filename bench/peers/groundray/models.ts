import { crossEntropy } from '../../../src/autograd/ops/crossEntropy.ts';
import { mean } from '../../../src/autograd/ops/reductions.ts';
import { backward, noGrad } from '../../../src/autograd/tape.ts';
import { Tensor } from '../../../src/autograd/tensor.ts';
import type { Gpu } from '../../../src/gpu/gpu.ts';
import { adamStep } from '../../../src/kernels/adam.ts';
import { fill } from '../../../src/kernels/fill.ts';
import { NDArray } from '../../../src/kernels/ndarray.ts';
import { BertLayer } from '../../../src/models/bert.ts';
import { ResNet } from '../../../src/models/resnet.ts';
import { ParameterArena } from '../../../src/nn/arena.ts';
import { BatchNorm2d, Conv2d, Linear } from '../../../src/nn/layers.ts';
import { Module } from '../../../src/nn/module.ts';
import { adam } from '../../../src/nn/optimizer.ts';
import type { HostTensors } from '../host.ts';
import { channelsFirst, need } from '../host.ts';
import { cnn, encoder } from '../models.ts';
import { adamOptions } from '../reference/networks.ts';
import { upload } from './operations.ts';
import type { Work, WorkOf } from './work.ts';

class SmallCnn extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly conv3: Conv2d;
  readonly bn3: BatchNorm2d;
  readonly fc: Linear;

  constructor() {
    super();
    const [first, second, third, fourth] = cnn.channels;
    this.conv1 = new Conv2d(first, second, 3, { padding: 1, bias: false });
    this.bn1 = new BatchNorm2d(second);
    this.conv2 = new Conv2d(second, third, 3, { padding: 1, stride: 2, bias: false });
    this.bn2 = new BatchNorm2d(third);
    this.conv3 = new Conv2d(third, fourth, 3, { padding: 1, stride: 2, bias: false });
    this.bn3 = new BatchNorm2d(fourth);
    this.fc = new Linear(fourth, cnn.classes);
  }

  forward(image: Tensor): Tensor {
    let x = this.bn1.forward(this.conv1.forward(image), { relu: true });
    x = this.bn2.forward(this.conv2.forward(x), { relu: true });
    x = this.bn3.forward(this.conv3.forward(x), { relu: true });
    return this.fc.forward(mean(x, [1, 2]));
  }
}

class Encoder extends Module {
  readonly layer: readonly BertLayer[];
  readonly classifier: Linear;

  constructor() {
    super();
    const { hidden, heads, inner, layers, classes } = encoder;
    const shape = { hidden, heads, layers, intermediate: inner, vocabulary: 0, maxPositions: 0, tokenTypes: 0 };
    const config = { ...shape, dropout: 0, eps: 1e-5, pooler: false };
    this.layer = Array.from({ length: layers }, () => new BertLayer(config));
    this.classifier = new Linear(hidden, classes);
  }

  forward(input: Tensor, mask: Tensor): Tensor {
    let x = input;
    for (const layer of this.layer) x = layer.forward(x, mask);
    return this.classifier.forward(mean(x, [1]));
  }
}

/** Puts the benchmark's weights, which are all inputs but `x` and `labels`, into the module. */
function load(gpu: Gpu, module: Module, inputs: HostTensors): ParameterArena {
  const arena = new ParameterArena(gpu, module, { initialize: false });
  const { x: _, labels: __, ...weights } = inputs;
  arena.load(
    Object.entries(weights).map(([name, host]) => [
      name,
      host.shape.length === 4 ? channelsFirst(host).data : host.data,
    ]),
  );
  return arena;
}

function trainStep(gpu: Gpu, inputs: HostTensors, module: Module, logits: (x: Tensor) => Tensor): Work {
  const arena = load(gpu, module, inputs);
  const { learningRate, beta1, beta2, eps } = adamOptions;
  const optimizer = adam(arena, { betas: [beta1, beta2], eps });
  const x = new Tensor(upload(gpu, need(inputs, 'x')));
  const labels = new Tensor(upload(gpu, need(inputs, 'labels')));
  return {
    advance: () => optimizer.advance(learningRate),
    record: () => {
      arena.zeroGrad();
      const loss = crossEntropy(logits(x), labels);
      backward([loss]);
      optimizer.record();
      return { loss: loss.array };
    },
    owned: [arena, optimizer, x, labels],
  };
}

export const models = {
  'small CNN step': (gpu, inputs) => {
    const network = new SmallCnn();
    return trainStep(gpu, inputs, network, (x) => network.forward(x));
  },
  'transformer step': (gpu, inputs) => {
    const network = new Encoder();
    const mask = new Tensor(
      NDArray.from(gpu, new Int32Array(encoder.batch * encoder.tokens).fill(1), [encoder.batch, encoder.tokens], 'i32'),
    );
    return trainStep(gpu, inputs, network, (x) => network.forward(x, mask));
  },
  'ResNet-50 forward': (gpu, inputs) => {
    const network = new ResNet().setTraining(false);
    const arena = load(gpu, network, inputs);
    const x = new Tensor(upload(gpu, need(inputs, 'x')));
    return { record: () => noGrad(() => ({ y: network.forward(x).global.array })), owned: [arena, x] };
  },
  'Adam 25M': (gpu, inputs) => {
    const [values, grads] = [upload(gpu, need(inputs, 'values')), upload(gpu, need(inputs, 'grads'))];
    const [firstMoments, secondMoments] = [fill(gpu, values.shape, 0), fill(gpu, values.shape, 0)];
    const [hyper, clip] = [fill(gpu, [9], 0), NDArray.from(gpu, [0, 1, 0], [3])];
    const { learningRate, beta1, beta2, eps } = adamOptions;
    let step = 0;
    const advance = () => {
      step++;
      const corrections = [learningRate / (1 - beta1 ** step), 1 / Math.sqrt(1 - beta2 ** step)];
      hyper.write([...corrections, beta1, 1 - beta1, beta2, 1 - beta2, eps, 0, 0]);
    };
    return {
      advance,
      record: () => {
        adamStep({ values, grads, firstMoments, secondMoments }, hyper, clip);
        // A view, because the results of a run are disposed with it.
        return { values: values.view(values.shape, values.strides) };
      },
      owned: [values, grads, firstMoments, secondMoments, hyper, clip],
    };
  },
} satisfies Record<string, WorkOf>;
