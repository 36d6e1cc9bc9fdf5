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
import { expectClose, uniform } from '../support/numeric.ts';

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
        { blocks: 1, width: 2, stride: 1, dilation: 3 },
        { blocks: 1, width: 2, stride: 2, dilation: 2 },
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

  it('sees as far as its dilation reaches, on the same grid', async () => {
    const size = 16;
    const image = uniform(1, size * size);
    const changed = image.map((value, i) => (i === 8 * size + 8 ? value + 1 : value));
    for (const dilation of [1, 3]) {
      const model = new ResNet({
        inChannels: 1,
        stem: { channels: 16, kernel: 1, stride: 1, maxPool: false },
        stages: [{ blocks: 1, width: 16, stride: 1, dilation }],
      });
      using _arena = new ParameterArena(gpu(), model);
      model.setTraining(false);
      const maps: Float32Array[] = [];
      for (const pixels of [image, changed]) {
        maps.push((await model.forward(tensor(gpu(), pixels, [1, size, size, 1])).stages[0]?.data()) as Float32Array);
      }
      const [before, after] = maps;
      const reached = new Set<number>();
      after?.forEach((value, i) => {
        if (value !== before?.[i]) reached.add(Math.floor(i / 64));
      });
      const taps = [-dilation, 0, dilation].flatMap((y) => [-dilation, 0, dilation].map((x) => (8 + y) * size + 8 + x));
      expect([...reached].sort((a, b) => a - b)).toEqual(taps);
    }
  });

  it('can see where in the image a pixel lies', async () => {
    const [batch, height, width, channels] = [2, 3, 5, 4];
    const model = new ResNet({
      inChannels: 1,
      coordinates: true,
      stem: { channels, kernel: 1, stride: 1, maxPool: false },
      stages: [{ blocks: 1, width: 1, stride: 1 }],
    });
    using _arena = new ParameterArena(gpu(), model);
    model.setTraining(false);
    const image = uniform(3, batch * height * width);
    const { stem } = model.forward(tensor(gpu(), image, [batch, height, width, 1]));
    // `[channels, 1, 1, (value, x, y)]`; the batch norm of a new model divides by sqrt(1 + eps) and nothing else.
    const weights = await model.conv1.weight.tensor.data();
    const expected = Array.from(image, (value, pixel) => {
      const x = (2 * (pixel % width)) / (width - 1) - 1;
      const y = (2 * (Math.floor(pixel / width) % height)) / (height - 1) - 1;
      return Array.from({ length: channels }, (_, i) => {
        const [a = 0, b = 0, c = 0] = weights.slice(3 * i, 3 * i + 3);
        return Math.max(0, a * value + b * x + c * y) / Math.sqrt(1 + 1e-5);
      });
    });
    expectClose(await stem.data(), expected.flat());
  });

  it('refuses a shortcut without the projection it needs', () => {
    expect(() => new Bottleneck(8, 2, 2, false)).toThrow(/projection/);
  });

  it.each([
    [1, 1],
    [3, 1],
    [3, 3],
    [4, 3],
  ])('can start kernels of side %i as mirror images with a middle %i times larger, variance kept', (side, ratio) => {
    const shape = [64, side, side, 64];
    const values = centredFanOut(ratio)(parameterRandom('w', 0), shape);
    const at = (out: number, y: number, x: number, channel: number): number =>
      values[((out * side + y) * side + x) * 64 + channel] ?? Number.NaN;
    const powers: number[] = [];
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        expect(at(5, y, x, 7)).toBeCloseTo(at(5, side - 1 - y, x, 7), 6);
        expect(at(5, y, x, 7)).toBeCloseTo(at(5, y, side - 1 - x, 7), 6);
        let power = 0;
        for (let out = 0; out < 64; out++) for (let k = 0; k < 64; k++) power += at(out, y, x, k) ** 2 / 64;
        powers.push(power);
      }
    }
    // 4,096 draws of a tap: their mean square scatters by about 2 %. Fan-out asks for 2 in sum.
    expect(Math.abs(powers.reduce((sum, power) => sum + power, 0) / 2 - 1)).toBeLessThan(0.1);
    if (side === 3) expect(Math.abs(powers[4]! / powers[0]! / ratio ** 2 - 1)).toBeLessThan(0.15);
  });
});
