import { z } from 'zod';
import { Tensor } from '../../autograd/tensor.ts';
import { NDArray } from '../../kernels/ndarray.ts';
import { ResNet, resNetConfig } from '../../models/resnet.ts';
import { FixtureError } from '../errors.ts';
import { channelsFirst, channelsLast } from './layout.ts';
import { runNetwork } from './network.ts';
import type { CaseRunner, CaseRunners } from './operator.ts';
import { attributesOf } from './operator.ts';

const attributes = z.object({
  layers: z.array(z.int()),
  base_width: z.int(),
  train: z.boolean(),
  bn_order: z.array(z.string()).default([]),
});

const resnet: CaseRunner = async (context) => {
  const { layers, base_width: width, train, bn_order: order } = attributesOf(context, attributes);
  const network = new ResNet(resNetConfig(layers, width)).setTraining(train);
  const forward = () => {
    const { data, shape } = context.input('image');
    const features = network.forward(channelsLast(new Tensor(NDArray.from(context.gpu, data, shape))));
    const stages = features.stages.map((stage, i) => [`layer${i + 1}`, channelsFirst(stage)] as const);
    return { stem: channelsFirst(features.stem), ...Object.fromEntries(stages), global: features.global };
  };
  await runNetwork(context, network, forward, [{ output: 'global' }, { output: 'layer3' }], async () => {
    const buffers = new Map(network.namedBuffers());
    for (const statistic of ['running_mean', 'running_var']) {
      if (!context.hasOutput(`new_${statistic}`)) continue;
      const parts: number[] = [];
      for (const name of order) {
        const buffer = buffers.get(`${name}.${statistic}`);
        if (!buffer) throw new FixtureError(`The ResNet has no batch norm layer "${name}".`);
        parts.push(...(await buffer.array.read()));
      }
      context.output(`new_${statistic}`, { shape: [parts.length], data: parts });
    }
  });
};

export const runners: CaseRunners = { resnet };
