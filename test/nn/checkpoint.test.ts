import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { tensor } from '../../src/autograd/tensor.ts';
import { type BertConfig, BertEncoder } from '../../src/models/bert.ts';
import { ParameterArena } from '../../src/nn/arena.ts';
import { loadStateDict } from '../../src/nn/checkpoint.ts';
import { BatchNorm2d, Conv2d, LayerNorm, Linear } from '../../src/nn/layers.ts';
import { describeMatch } from '../../src/nn/match.ts';
import { Module } from '../../src/nn/module.ts';
import { useGpu } from '../support/gpu.ts';
import { hasMaterials, materials, openMaterial } from '../support/materials.ts';
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
    const report = loadStateDict(arena, source, { strict: true });
    expect(report.matched.length).toBe(source.size);
    expect(new Map([...(await arena.state())].sort())).toEqual(new Map([...source].sort()));
  });

  it('removes the prefixes of wrappers, reads gamma and beta, and leaves counters and heads out', async () => {
    using arena = new ParameterArena(gpu(), new Small());
    const one = (shape: readonly number[], value: number) => ({
      shape,
      data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value),
    });
    const report = loadStateDict(
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
    expect(() => loadStateDict(arena, source, { strict: true })).toThrow(/11 loaded|1 missing \(text\.dense\.bias\)/);
    expect(await arena.state()).toEqual(before);
  });

  it('adds the colour channels of a first convolution up for grey images, if asked', async () => {
    using arena = new ParameterArena(gpu(), new Small());
    const data = uniform(3, 2 * 3 * 9);
    const source = new Map([['conv1.weight', { shape: [2, 3, 3, 3], data }]]);
    expect(loadStateDict(arena, source, { target: 'visual.' }).mismatched.length).toBe(1);
    const report = loadStateDict(arena, source, { target: 'visual.', foldChannels: true });
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
  it('load without remainder and give the hidden states that PyTorch computed', async () => {
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
    const report = loadStateDict(arena, openMaterial(`${bertFolder}/model-f16.safetensors`), { strict: true });
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
  });
});

const resNetFile = 'data/weights/resnet50-slim-synthetic/resnet50-slim-f16-no-fc.safetensors';

/** torchvision's bottleneck with an inner width that is not a quarter of its output. */
class SlimBottleneck extends Module {
  readonly conv1: Conv2d;
  readonly conv2: Conv2d;
  readonly conv3: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly bn2: BatchNorm2d;
  readonly bn3: BatchNorm2d;
  readonly downsample: readonly Module[] | undefined;
  constructor(inChannels: number, width: number, outChannels: number) {
    super();
    this.conv1 = new Conv2d(inChannels, width, 1, { bias: false });
    this.conv2 = new Conv2d(width, width, 3, { bias: false });
    this.conv3 = new Conv2d(width, outChannels, 1, { bias: false });
    [this.bn1, this.bn2, this.bn3] = [new BatchNorm2d(width), new BatchNorm2d(width), new BatchNorm2d(outChannels)];
    const isNarrow = inChannels !== outChannels;
    const projection = () => [new Conv2d(inChannels, outChannels, 1, { bias: false }), new BatchNorm2d(outChannels)];
    this.downsample = isNarrow ? projection() : undefined;
  }
}

class SlimResNet extends Module {
  readonly conv1 = new Conv2d(3, 64, 7, { bias: false });
  readonly bn1 = new BatchNorm2d(64);
  readonly layer1 = stage(64, 4, 3);
  readonly layer2 = stage(256, 8, 4);
  readonly layer3 = stage(512, 16, 6);
  readonly layer4 = stage(1024, 32, 3);
}

function stage(inChannels: number, width: number, blocks: number): SlimBottleneck[] {
  const out = 64 * width;
  return Array.from({ length: blocks }, (_, i) => new SlimBottleneck(i === 0 ? inChannels : out, width, out));
}

describe.skipIf(!hasMaterials(resNetFile))('ResNet-50 weights as published', () => {
  it('load without remainder and come back as they were', async () => {
    const file = openMaterial(resNetFile);
    using arena = new ParameterArena(gpu(), new SlimResNet(), { initialize: false, segmentBytes: 2 ** 21 });
    expect(arena.segments.length).toBeGreaterThan(2);
    const report = loadStateDict(arena, file, { strict: true });
    expect(report.ignored.every((name) => name.endsWith('num_batches_tracked'))).toBe(true);
    expect(report.matched.length + report.ignored.length).toBe(file.names().length);
    const state = await arena.state();
    for (const name of report.matched) {
      const [got, stored] = [state.get(name)!.data, file.tensor(name).data];
      expect(got.length === stored.length && got.every((value, i) => value === stored[i]), name).toBe(true);
    }
  });
});
