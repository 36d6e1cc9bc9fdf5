import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { tensor } from '../../src/autograd/tensor.ts';
import { readImage } from '../../src/io/image.node.ts';
import { openTensorFile } from '../../src/io/openTensors.node.ts';
import { type BertConfig, BertEncoder } from '../../src/models/bert.ts';
import { ResNet, type ResNetConfig, resNetConfig } from '../../src/models/resnet.ts';
import { ParameterArena } from '../../src/nn/arena.ts';
import { loadStateDict } from '../../src/nn/checkpoint.ts';
import { BatchNorm2d, Conv2d, LayerNorm, Linear } from '../../src/nn/layers.ts';
import { describeMatch, matchTensors } from '../../src/nn/match.ts';
import { Module } from '../../src/nn/module.ts';
import { useGpu } from '../support/gpu.ts';
import { hasMaterials, materials } from '../support/materials.ts';
import { expectClose, uniform } from '../support/numeric.ts';

const gpu = useGpu();

class Small extends Module {
  readonly visual = { conv1: new Conv2d(1, 2, 3, { bias: false }), bn1: new BatchNorm2d(2) };
  readonly text = { dense: new Linear(3, 2), LayerNorm: new LayerNorm(2) };
}

function published(shapes: ReadonlyMap<string, readonly number[]>) {
  return new Map(
    [...shapes].map(
      ([name, shape], i) =>
        [
          name,
          {
            shape,
            data: uniform(
              i,
              shape.reduce((a, b) => a * b, 1),
            ),
          },
        ] as const,
    ),
  );
}

describe('loadStateDict', () => {
  it('loads everything under its own names', async () => {
    using arena = new ParameterArena(gpu(), new Small());
    const source = published(arena.shapes());
    const report = await loadStateDict(arena, source, { strict: true });
    expect(report.matched.length).toBe(source.size);
    expect(new Map([...(await arena.state())].sort())).toEqual(new Map([...source].sort()));
  });

  it('removes the prefixes of wrappers, reads gamma and beta, and leaves counters and heads out', async () => {
    using arena = new ParameterArena(gpu(), new Small());
    const one = (shape: readonly number[], value: number) => ({
      shape,
      data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value),
    });
    const report = await loadStateDict(
      arena,
      new Map([
        ['module.bert.dense.weight', one([2, 3], 1)],
        ['module.bert.LayerNorm.gamma', one([2], 2)],
        ['module.bert.LayerNorm.beta', one([2], 3)],
        ['module.bert.embeddings.position_ids', one([1, 4], 4)],
        ['cls.predictions.bias', one([7], 5)],
        ['bn1.num_batches_tracked', one([], 6)],
        ['pooler.dense.bias', one([2], 7)],
        ['fc.bias', one([2], 7)],
        ['dense.bias', one([5], 8)],
      ]),
      { target: 'text.' },
    );
    expect(report.matched).toEqual(['text.dense.weight', 'text.LayerNorm.weight', 'text.LayerNorm.bias']);
    expect(report.ignored.length).toBe(4);
    expect(report.unexpected).toEqual(['fc.bias']);
    expect(report.mismatched).toEqual([{ name: 'text.dense.bias', source: 'dense.bias', expected: [2], found: [5] }]);
    expect(report.missing).toEqual([]);
    expect(describeMatch(report)).toBe(
      '3 loaded; 1 not used (fc.bias); 1 of another shape (text.dense.bias: expected [2], found [5])',
    );
    const state = await arena.state();
    expect(state.get('text.LayerNorm.weight')!.data).toEqual(new Float32Array([2, 2]));
    expect(state.get('text.LayerNorm.bias')!.data).toEqual(new Float32Array([3, 3]));
  });

  it('changes nothing when a strict load does not fit', async () => {
    using arena = new ParameterArena(gpu(), new Small());
    const before = await arena.state();
    const source = published(arena.shapes());
    source.delete('text.dense.bias');
    await expect(loadStateDict(arena, source, { strict: true })).rejects.toThrow(
      /11 loaded|1 missing \(text\.dense\.bias\)/,
    );
    expect(await arena.state()).toEqual(before);
  });

  it('adds the colour channels of a first convolution up for grey images, if asked', async () => {
    using arena = new ParameterArena(gpu(), new Small());
    const data = uniform(3, 2 * 3 * 9);
    const source = new Map([['conv1.weight', { shape: [2, 3, 3, 3], data }]]);
    expect((await loadStateDict(arena, source, { target: 'visual.' })).mismatched.length).toBe(1);
    const report = await loadStateDict(arena, source, { target: 'visual.', foldChannels: true });
    expect(report.matched).toEqual(['visual.conv1.weight']);
    const sums = Array.from({ length: 18 }, (_, i) => {
      const first = Math.floor(i / 9) * 27 + (i % 9);
      return data[first]! + data[first + 9]! + data[first + 18]!;
    });
    expectClose((await arena.state()).get('visual.conv1.weight')!.data, sums, 1e-6, 1e-7);
  });
});

const bertFolder = 'data/weights/bert-tiny-synthetic';

describe.skipIf(!hasMaterials(`${bertFolder}/model-f16.safetensors`))('BERT weights as published', () => {
  it.each(['model-f16.safetensors', 'pytorch_model.bin', 'pytorch_model-legacy-gamma-beta.bin'])(
    '%s loads without remainder and gives the hidden states that PyTorch computed',
    async (name) => {
      const config: BertConfig = {
        vocabulary: 28_996,
        hidden: 32,
        layers: 2,
        heads: 2,
        intermediate: 64,
        maxPositions: 512,
        tokenTypes: 2,
        dropout: 0.1,
        eps: 1e-12,
        pooler: true,
      };
      const bert = new BertEncoder(config).setTraining(false);
      using arena = new ParameterArena(gpu(), bert, { initialize: false });
      using file = openTensorFile(`${materials}/${bertFolder}/${name}`);
      const report = await loadStateDict(arena, file, { strict: true });
      expect(report.matched.length).toBe(arena.shapes().size);

      const expected = JSON.parse(readFileSync(`${materials}/${bertFolder}/expected.json`, 'utf8'));
      const shape = [3, expected.input_ids[0].length];
      const features = gpu().scope(() => {
        const ids = tensor(gpu(), expected.input_ids.flat(), shape, { dtype: 'i32' });
        const mask = tensor(gpu(), expected.attention_mask.flat(), shape, { dtype: 'i32' });
        const { hidden, pooled } = bert.forward(ids, mask);
        return { last: hidden.at(-1)!, pooled: pooled! };
      });
      expectClose(await features.pooled.data(), expected.pooler_output.flat(), 1e-4, 1e-5);
      // Published for the real tokens of each sentence.
      const { last } = features;
      const hidden = await last.data();
      for (const [sentence, tokens] of (expected.last_hidden_state as number[][][]).entries()) {
        const start = sentence * (shape[1] ?? 0) * config.hidden;
        expectClose(hidden.subarray(start, start + tokens.length * config.hidden), tokens.flat(), 1e-4, 1e-5);
      }
      last.dispose();
      features.pooled.dispose();
    },
  );
});

const resNetFolder = 'data/weights/resnet50-slim-synthetic';

/** ResNet-50's topology with bottlenecks a sixteenth as wide, outputs as in the original. */
const slim: ResNetConfig = {
  ...resNetConfig([3, 4, 6, 3]),
  stages: resNetConfig([3, 4, 6, 3]).stages.map(({ width, ...stage }) => ({
    ...stage,
    width: width / 16,
    channels: 4 * width,
  })),
};

interface Activations {
  readonly shape: readonly number[];
  readonly mean: number;
  readonly first_16: readonly number[];
  readonly centre_column: readonly number[];
}

/** Mean, the first 16 values of the first channel and the first 16 channels in the middle, of `[1, height, width, channels]`. */
function summaryOf(values: Float32Array, shape: readonly number[]): Omit<Activations, 'shape'> {
  const [, height = 1, width = 1, channels = 1] = shape;
  const middle = (Math.floor(height / 2) * width + Math.floor(width / 2)) * channels;
  // Rows of the published, channel-first order run on into the next channel on the smallest maps.
  const planar = Array.from({ length: 16 }, (_, i) => {
    const [channel, pixel] = [Math.floor(i / (height * width)), i % (height * width)];
    return values[pixel * channels + channel] ?? Number.NaN;
  });
  return {
    mean: values.reduce((sum, value) => sum + value, 0) / values.length,
    first_16: planar,
    centre_column: [...values.subarray(middle, middle + 16)],
  };
}

describe.skipIf(!hasMaterials(`${resNetFolder}/resnet50-slim-f16.pth`))('ResNet-50 weights as published', () => {
  it.each([
    ['resnet50-slim-f16-no-fc.safetensors', 'cxr/images/nih-00000001-000.png'],
    ['resnet50-slim-f16.pth', 'cxr/images/nih-00000001-000.png'],
  ])('%s gives the activations that PyTorch computed', async (name, image) => {
    using file = openTensorFile(`${materials}/${resNetFolder}/${name}`);
    const model = new ResNet(slim).setTraining(false);
    using arena = new ParameterArena(gpu(), model, { initialize: false, segmentBytes: 2 ** 21 });
    expect(arena.segments.length).toBeGreaterThan(2);
    const report = await loadStateDict(arena, file);
    expect(report).toMatchObject({ missing: [], mismatched: [], matched: { length: arena.shapes().size } });
    expect(report.unexpected).toEqual(name.endsWith('.pth') ? ['fc.weight', 'fc.bias'] : []);

    const { data, width } = await readImage(`${materials}/data/${image}`);
    const pixels = Array.from({ length: 128 * 128 }, (_, i) => {
      const [y, x] = [4 * Math.floor(i / 128), 4 * (i % 128)];
      let sum = 0;
      for (let k = 0; k < 16; k++) sum += data[(y + Math.floor(k / 4)) * width + x + (k % 4)] ?? Number.NaN;
      return (sum / 16 - 0.5) / 0.25;
    });
    const expected = JSON.parse(readFileSync(`${materials}/${resNetFolder}/expected.json`, 'utf8'));
    expectClose(pixels.slice(0, 8), expected.input_first_8, 1e-4, 1e-5);
    const input = tensor(
      gpu(),
      pixels.flatMap((value) => [value, value, value]),
      [1, 128, 128, 3],
    );
    const { stem, stages, global } = model.forward(input);
    const named = [['maxpool', stem], ...stages.map((stage, i) => [`layer${i + 1}`, stage] as const)] as const;
    for (const [stage, features] of named) {
      const { mean, first_16, centre_column, shape } = expected.stages[stage] as Activations;
      const [batch, channels, ...sides] = shape;
      expect(features.shape).toEqual([batch, ...sides, channels]);
      const got = summaryOf(Float32Array.from(await features.data()), features.shape);
      expectClose([got.mean], [mean], 1e-4, 1e-6);
      expectClose(got.first_16, first_16, 1e-4, 1e-5);
      expectClose(got.centre_column, centre_column, 1e-4, 1e-5);
    }
    if (!file.has('fc.weight')) return;
    const pooled = Float32Array.from(await global.data());
    const [weight, bias] = [file.tensor('fc.weight').data, file.tensor('fc.bias').data];
    const logits = Array.from(bias, (b, row) =>
      pooled.reduce((sum, value, i) => sum + value * (weight[row * pooled.length + i] ?? Number.NaN), b),
    );
    expectClose(logits, expected.logits, 1e-4, 1e-5);
  });
});

describe('first convolutions for another number of channels', () => {
  it('respond to a grey image as before when a grey kernel is spread over three channels', async () => {
    const model = new ResNet({ ...resNetConfig([1], 2), inChannels: 3 });
    using arena = new ParameterArena(gpu(), model);
    const data = uniform(3, 2 * 49);
    const source = new Map([['conv1.weight', { shape: [2, 1, 7, 7], data }]]);
    const report = await loadStateDict(arena, source, { foldChannels: true });
    expect(report.folded).toEqual(['conv1.weight']);
    const expected = Array.from({ length: 2 * 3 * 49 }, (_, i) => data[Math.floor(i / 147) * 49 + (i % 49)]! / 3);
    expectClose((await arena.state()).get('conv1.weight')!.data, expected, 1e-6, 1e-7);
  });
});

describe('names of published checkpoints', () => {
  it.each([
    ['bert.embeddings.', 'embeddings.'],
    ['module.bert.', ''],
    ['state_dict.gloria.img_encoder.model.', ''],
    ['state_dict.gloria.text_encoder.model.', ''],
    ['state_dict.afloc.img_encoder.model.', ''],
    ['state_dict.img_encoder_q.model.', ''],
    ['state_dict.text_encoder_q.model.', ''],
    ['model.module.', ''],
    ['encoder.encoder.', ''],
  ])('lose the beginning %s', (prefix, rest) => {
    const name = 'layer1.0.conv1.weight';
    const shapes = new Map([[`visual.${rest}${name}`, [1, 2]]]);
    const source = { names: () => [`${prefix}${name}`], info: () => ({ shape: [1, 2] }) };
    const { report, matches } = matchTensors(shapes, source, { target: 'visual.' });
    expect(report.unexpected).toEqual([]);
    expect(matches.get(`visual.${rest}${name}`)?.source).toBe(`${prefix}${name}`);
  });
});
