import { describe, expect, it } from 'vitest';
import { BertEncoder, bertBaseConfig } from '../../src/models/bert.ts';
import { GroundingModel } from '../../src/models/grounding.ts';
import { ResNet, resNet50Config, resNetConfig } from '../../src/models/resnet.ts';
import { bertIn, holdsGroundingModel, resNetIn, towersIn } from '../../src/models/towers.ts';
import { stateShapes, type TensorCatalog } from '../../src/nn/match.ts';
import { hasMaterials, openMaterial } from '../support/materials.ts';
import { tinyConfig } from '../support/tinyRun.ts';
import { smallBert, smallResNet } from '../support/towerFiles.ts';

type Shapes = ReadonlyMap<string, readonly number[]>;

function catalog(shapes: Shapes): TensorCatalog {
  return { names: () => shapes.keys(), info: (name) => ({ shape: shapes.get(name) ?? [] }) };
}

const shapesOf = (state: ReadonlyMap<string, { readonly shape: readonly number[] }>): Shapes =>
  new Map([...state].map(([name, { shape }]) => [name, shape]));

const changed = (shapes: Shapes, name: string, shape?: readonly number[]): TensorCatalog => {
  const copy = new Map(shapes);
  if (shape) copy.set(name, shape);
  else copy.delete(name);
  return catalog(copy);
};

const under = (place: string, shapes: Shapes): Shapes =>
  new Map([...shapes].map(([name, shape]) => [place + name, shape]));

describe('the towers in a file', () => {
  it('are a BERT, a ResNet or both, under any of the usual wrappers', () => {
    const bert = shapesOf(smallBert(''));
    const resNet = shapesOf(smallResNet());
    expect(towersIn('x', catalog(bert))).toEqual(['text']);
    expect(towersIn('x', catalog(under('bert.', bert)))).toEqual(['text']);
    expect(towersIn('x', catalog(resNet))).toEqual(['visual']);
    expect(towersIn('x', catalog(under('visual.', resNet)))).toEqual(['visual']);
    const gloria = [...under('gloria.img_encoder.model.', resNet), ...under('gloria.text_encoder.model.', bert)];
    expect(towersIn('x', catalog(new Map(gloria)))).toEqual(['visual', 'text']);
    expect(holdsGroundingModel(catalog(new Map(gloria)))).toBe(false);
  });

  it('are not looked for in a whole model, which is told apart', () => {
    const shapes = stateShapes(new GroundingModel(tinyConfig().model));
    expect(holdsGroundingModel(catalog(shapes))).toBe(true);
    expect(holdsGroundingModel(catalog(under('model.', shapes)))).toBe(true);
    expect(holdsGroundingModel(catalog(shapesOf(smallBert())))).toBe(false);
  });

  it('are refused where there are none, with what was expected and what was found', () => {
    const file = catalog(new Map([['net.weight', [3, 3]]]));
    expect(() => towersIn('net.safetensors', file)).toThrow(
      /^net\.safetensors holds no encoder that this model can use: expected a BERT .*, a ResNet .* or a whole groundray model, found 1 tensors, starting with net\.weight\.$/,
    );
    expect(() => towersIn('empty.safetensors', catalog(new Map()))).toThrow(/found 0 tensors\.$/);
  });
});

describe('the sizes of a BERT', () => {
  const shapes = shapesOf(smallBert());

  it('are those of BERT-base for its weights', () => {
    expect(bertIn('x', catalog(stateShapes(new BertEncoder(bertBaseConfig))))).toEqual(bertBaseConfig);
  });

  it('come from the weights, with heads of 64 elements unless their number is known', () => {
    const sizes = { vocabulary: 10, hidden: 128, layers: 2, heads: 2, intermediate: 80, maxPositions: 40 };
    expect(bertIn('x', catalog(shapes))).toEqual({ ...bertBaseConfig, ...sizes });
    expect(bertIn('x', catalog(shapes), 8).heads).toBe(8);
    expect(() => bertIn('x', catalog(shapes), 5)).toThrow('x: a BERT with a hidden size of 128 cannot have 5 heads.');
    expect(() => bertIn('x', catalog(shapesOf(smallBert('', 32))))).toThrow(
      /x: expected a BERT with heads of 64 elements, found a hidden size of 32, .*num_attention_heads in the config\.json/,
    );
    expect(bertIn('x', catalog(shapesOf(smallBert('', 32))), 2)).toMatchObject({ hidden: 32, heads: 2 });
  });

  it('are refused where tables or layers are missing', () => {
    const table = 'bert.embeddings.position_embeddings.weight';
    expect(() => bertIn('x', changed(shapes, table))).toThrow('x is not whole: there is no embeddings.position');
    expect(() => bertIn('x', changed(shapes, table, [40]))).toThrow(`x: expected 2 axes in ${table}, found the shape`);
    const gap = changed(shapes, 'bert.encoder.layer.900000000.output.dense.bias', [128]);
    expect(() => bertIn('x', gap)).toThrow(/goes up to encoder\.layer\.900000000, but has 3 of these 900000001/);
  });
});

describe('the sizes of a ResNet', () => {
  const shapes = shapesOf(smallResNet());

  it('are those of ResNet-50 and deeper ones for their weights', () => {
    expect(resNetIn('x', catalog(stateShapes(new ResNet())))).toEqual(resNet50Config);
    const deep = resNetConfig([3, 4, 23, 3]);
    expect(resNetIn('x', catalog(stateShapes(new ResNet(deep))))).toEqual(deep);
    const wide = {
      ...resNet50Config,
      stages: resNet50Config.stages.map((stage) => ({ ...stage, width: 2 * stage.width, channels: 4 * stage.width })),
    };
    expect(resNetIn('x', catalog(stateShapes(new ResNet(wide))))).toEqual(wide);
  });

  it('come from the weights, grey ones and cut ones included', () => {
    expect(resNetIn('x', catalog(shapes))).toEqual(resNetConfig([3, 4, 6, 3], 4));
    const grey = new Map(shapes).set('conv1.weight', [4, 1, 7, 7]);
    const cut = new Map([...grey].filter(([name]) => !name.startsWith('layer4.')));
    expect(resNetIn('x', catalog(cut))).toEqual({ ...resNetConfig([3, 4, 6], 4), inChannels: 1 });
  });

  it('are refused for another stem and other blocks, which weights alone do not describe', () => {
    expect(() => resNetIn('x', changed(shapes, 'conv1.weight', [16, 3, 3, 3]))).toThrow(
      "x: expected a ResNet whose conv1.weight is 7x7 and takes 1 or 3 channels, as torchvision's, found the shape [16, 3, 3, 3].",
    );
    expect(() => resNetIn('x', changed(shapes, 'conv1.weight', [4, 5, 7, 7]))).toThrow(/takes 1 or 3 channels/);
    const basic = new Map([...shapes].filter(([name]) => !name.includes('conv3')));
    expect(() => resNetIn('x', catalog(basic))).toThrow(/expected a ResNet of bottleneck blocks .* found one of basic/);
    expect(() => resNetIn('x', changed(shapes, 'layer2.0.conv2.weight', [8, 2, 3, 3]))).toThrow(
      /layer2\.0\.conv2 takes 2 of 8 channels, as the grouped convolutions of ResNeXt do/,
    );
  });
});

describe.skipIf(!hasMaterials('data/weights'))('published names in the reference materials (../shared)', () => {
  it('are recognised', () => {
    const bert = openMaterial('data/weights/bert-tiny-synthetic/model-f16.safetensors');
    expect(towersIn('x', bert)).toEqual(['text']);
    const sizes = { hidden: 32, layers: 2, heads: 2, intermediate: 64 };
    expect(bertIn('x', bert, 2)).toEqual({ ...bertBaseConfig, ...sizes });

    const resNet = openMaterial('data/weights/resnet50-slim-synthetic/resnet50-slim-f16-no-fc.safetensors');
    expect(towersIn('x', resNet)).toEqual(['visual']);
    const stages = resNet50Config.stages.map((stage) => ({
      ...{ ...stage, width: stage.width / 16, channels: 4 * stage.width },
    }));
    expect(resNetIn('x', resNet)).toEqual({ ...resNet50Config, stages });
  });

  it('are refused where they are of another network', () => {
    const resNet20 = openMaterial('data/weights/resnet20-cifar10/resnet20-stripped.safetensors');
    expect(towersIn('x', resNet20)).toEqual(['visual']);
    expect(() => resNetIn('x', resNet20)).toThrow(/found the shape \[16, 3, 3, 3\]/);
    const mnist = openMaterial('data/weights/mnist-cnn/mnist.safetensors');
    expect(() => towersIn('mnist.safetensors', mnist)).toThrow(/^mnist\.safetensors holds no encoder/);
  });
});
