import { describe, expect, it } from 'vitest';
import { tensor } from '../../src/autograd/tensor.ts';
import {
  Bottleneck,
  ResNet,
  type ResNetConfig,
  resNet50Config,
  resNetConfig,
  stageGeometry,
} from '../../src/models/resnet.ts';
import { ParameterArena } from '../../src/nn/arena.ts';
import { centredFanOut } from '../../src/nn/init.ts';
import { parameterRandom } from '../../src/nn/random.ts';
import { useGpu } from '../support/gpu.ts';
import { uniform } from '../support/numeric.ts';

const gpu = useGpu();

describe('ResNet', () => {
  it('has the 53 convolutions and 23.5 million parameters of ResNet-50 without its classifier', () => {
    const parameters = [...new ResNet().namedParameters()];
    expect(parameters.filter(([, { layout }]) => layout === 'convolution')).toHaveLength(53);
    expect(parameters.reduce((sum, [, { size }]) => sum + size, 0)).toBe(23_508_032);
  });

  it('makes feature maps of the size that stageGeometry says', () => {
    const small: ResNetConfig = {
      inChannels: 1,
      centredStart: 2,
      stem: { channels: 4, kernel: 4, stride: 2, maxPool: false },
      stages: [
        { blocks: 1, width: 2, stride: 2 },
        { blocks: 1, width: 2, stride: 1 },
        { blocks: 1, width: 2, stride: 2 },
      ],
    };
    for (const config of [small, { ...resNetConfig([1, 1, 1, 1], 2), inChannels: 1 as const }]) {
      for (const size of [33, 64]) {
        const model = new ResNet(config);
        using _arena = new ParameterArena(gpu(), model);
        const { stages } = model.forward(tensor(gpu(), uniform(1, size * size), [1, size, size, 1]));
        const sides = stages.map(({ shape }) => [shape[1], shape[2]]);
        expect(sides).toEqual(config.stages.map((_, i) => Array(2).fill(stageGeometry(config, i, size).size)));
      }
    }
    expect(stageGeometry(resNet50Config, 2, 224)).toEqual({ size: 14, stride: 16, offset: 0 });
    expect(stageGeometry(resNet50Config, 2, 299).size).toBe(19);
    expect(stageGeometry(small, 1, 64)).toEqual({ size: 16, stride: 4, offset: 0.5 });
  });

  it('refuses a shortcut without the projection it needs', () => {
    expect(() => new Bottleneck(8, 2, 2, false)).toThrow(/projection/);
  });

  it('can start 3x3 kernels with a larger middle and the same variance in sum', () => {
    const shape = [64, 3, 3, 64];
    const power = (values: Float32Array): number => values.reduce((sum, value) => sum + value * value, 0);
    const draw = (ratio: number): Float32Array => centredFanOut(ratio)(parameterRandom('w', 0), shape);
    const centre = draw(4).filter((_, i) => Math.floor(i / 64) % 9 === 4);
    const others = draw(4).filter((_, i) => Math.floor(i / 64) % 9 !== 4);
    // 4,096 middle taps: the ratio of the variances scatters by about 2 %.
    const ratio = power(centre) / centre.length / (power(others) / others.length);
    expect(Math.abs(ratio / 16 - 1)).toBeLessThan(0.1);
    expect(power(draw(4)) / power(draw(1))).toBeCloseTo(1, 1);
  });
});
