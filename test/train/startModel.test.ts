import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tensor } from '../../src/autograd/tensor.ts';
import { phantomVocabulary } from '../../src/data/phantom/vocabulary.ts';
import { parseVocabulary } from '../../src/data/text/tokenizer.ts';
import { readTensors } from '../../src/io/openTensors.ts';
import { GroundingModel } from '../../src/models/grounding.ts';
import { resNet50Config } from '../../src/models/resnet.ts';
import { ParameterArena } from '../../src/nn/arena.ts';
import { loadStateDict } from '../../src/nn/checkpoint.ts';
import { initialState } from '../../src/nn/initialState.ts';
import { stateShapes } from '../../src/nn/match.ts';
import { parseRunConfig } from '../../src/train/config.ts';
import { presets } from '../../src/train/presets.ts';
import { type StartModel, startModel } from '../../src/train/startModel.ts';
import { useGpu } from '../support/gpu.ts';
import { hasMaterials, materials, openMaterial } from '../support/materials.ts';
import { expectClose } from '../support/numeric.ts';
import { type FloatType, smallBert, smallResNet, weightFile, words } from '../support/towerFiles.ts';

const gpu = useGpu();
const paper = presets.paper!;

const bert = (dtype?: FloatType) => weightFile('bert.safetensors', smallBert(), dtype);
const resNet = (dtype?: FloatType) => weightFile('resnet.safetensors', smallResNet(), dtype);

/** A state holds exactly what its model has, in its shapes. */
function expectWhole({ config, state }: StartModel): void {
  const shapes = stateShapes(new GroundingModel(config.model));
  expect([...state.names()].sort()).toEqual([...shapes.keys()].sort());
  for (const [name, shape] of shapes) expect(state.info(name).shape, name).toEqual(shape);
}

const query = 'encoder.layer.1.attention.self.query.weight';

describe('a model around published weights', () => {
  it('has both encoders as they were published, and start values where they meet', () => {
    const made = startModel([resNet(), bert()], { vocabulary: words, seed: 5 });
    expectWhole(made);
    const { config, state, vocabulary } = made;
    expect(vocabulary).toBe(words);
    for (const [name, own] of [
      ['layer3.5.conv2.weight', 'visual.layer3.5.conv2.weight'],
      ['layer4.0.downsample.1.running_var', 'visual.layer4.0.downsample.1.running_var'],
    ] as const) {
      expect(state.tensor(own).data, own).toEqual(resNet().tensor(name).data);
    }
    expect(state.tensor(`bert.${query}`).data).toEqual(bert().tensor(`bert.${query}`).data);
    const initial = initialState(new GroundingModel(config.model), 5);
    for (const name of ['local_embedder.weight', 'global_embedder.bias', 'text_embedder.weight']) {
      expect(state.tensor(name), name).toEqual(initial.tensor(name));
    }
  });

  it('is the published setting in all else, and a configuration like any other', () => {
    const { config } = startModel([resNet(), bert()], { vocabulary: words, seed: 5 });
    const { imageSize, sigma, objective, optimizer, schedule } = paper;
    expect(config).toMatchObject({ imageSize, sigma, objective, optimizer, schedule, seed: 5, preset: 'paper' });
    expect(config.model).toMatchObject({
      dimension: 768,
      localStage: 3,
      text: { vocabulary: 10, heads: 2, layers: 2 },
    });
    expect(config.maxTokens).toBe(40);
    expect(config.weights).toEqual({ visual: 'resnet.safetensors', text: 'bert.safetensors' });
    expect(parseRunConfig(JSON.parse(JSON.stringify(config)), 'config.json')).toEqual(config);
  });

  it('says which part of it is pretrained, and that its maps say nothing', () => {
    const text = startModel([bert()], { vocabulary: words });
    expect(text.note).toBe(
      'Only the text encoder is pretrained, the rest is random: the maps say nothing about an image until the model is trained.',
    );
    expect(text.config.model.visual).toEqual(resNet50Config);
    expect(startModel([resNet()]).note).toMatch(/^Only the image encoder is pretrained, the rest is random: the maps/);
    expect(startModel([resNet(), bert()], { vocabulary: words }).note).toMatch(
      /^Image and text encoder are pretrained, but what joins them is random: the maps say nothing/,
    );
  });

  it('gets a small text encoder of its own beside a ResNet alone, over the words of the phantoms or those given', () => {
    const made = startModel([resNet()]);
    expectWhole(made);
    expect(made.vocabulary).toEqual(phantomVocabulary());
    const { text } = presets.phantom!.model;
    expect(made.config.model.text).toEqual({ ...text, vocabulary: made.vocabulary.length });
    expect(made.config.maxTokens).toBe(text.maxPositions);
    expect(startModel([resNet()], { vocabulary: words }).config.model.text.vocabulary).toBe(10);
  });

  it.each(['F16', 'BF16'] as const)('reads weights that are stored as %s', (dtype) => {
    const { state } = startModel([resNet(dtype), bert(dtype)], { vocabulary: words });
    for (const [own, file, name] of [
      ['visual.layer1.0.conv2.weight', smallResNet(), 'layer1.0.conv2.weight'],
      [`bert.${query}`, smallBert(), `bert.${query}`],
    ] as const) {
      // 11 and 8 bits of significand.
      expectClose(state.tensor(own).data, file.get(name)!.data, dtype === 'F16' ? 2 ** -11 : 2 ** -7, 1e-7);
    }
  });

  it('takes both encoders from one file, too', () => {
    const both = new Map([...smallResNet('visual.'), ...smallBert()]);
    const made = startModel([weightFile('both.safetensors', both)], { vocabulary: words });
    expectWhole(made);
    expect(made.state.tensor('visual.conv1.weight').data).toEqual(both.get('visual.conv1.weight')?.data);
    expect(made.note).toMatch(/^Image and text encoder are pretrained/);
  });

  it('fills a model on the GPU', async () => {
    const { config, state } = startModel([resNet(), bert()], { vocabulary: words });
    using arena = new ParameterArena(gpu(), new GroundingModel(config.model), { initialize: false });
    await loadStateDict(arena, state, { strict: true });
    const loaded = await arena.state();
    for (const name of state.names()) expect(loaded.get(name), name).toEqual(state.tensor(name));
  });
});

describe('the description that Hugging Face publishes with a BERT', () => {
  const described = (json: object, hidden = 128) =>
    startModel([weightFile('bert.safetensors', smallBert('', hidden))], {
      vocabulary: words,
      description: { json, source: 'config.json' },
    });

  it('gives the number of heads, epsilon and case, which weights do not say', () => {
    const json = { model_type: 'bert', num_attention_heads: 4, layer_norm_eps: 1e-5, do_lower_case: false };
    const { config } = described({ ...json, hidden_size: 32, vocab_size: 10, transformers_version: '4' }, 32);
    expect(config.model.text).toMatchObject({ hidden: 32, heads: 4, eps: 1e-5 });
    expect(config.lowerCase).toBe(false);
    expect(described({}).config.lowerCase).toBe(paper.lowerCase);
  });

  it('is refused where it describes other weights, or an encoder that would compute something else', () => {
    expect(() => described({ hidden_size: 768 })).toThrow(
      'config.json: hidden_size is 768, the weights have 128: they are of different models.',
    );
    expect(() => described({ model_type: 'roberta' })).toThrow(
      'config.json: model_type: expected bert or cxr-bert, found roberta.',
    );
    expect(() => described({ hidden_act: 'relu' })).toThrow('config.json: hidden_act: expected gelu, found relu.');
    expect(() => described({ num_attention_heads: 'two' })).toThrow(/^config\.json: num_attention_heads: /);
  });

  it('is not looked at where there is no BERT', () => {
    const description = { json: { model_type: 'resnet' }, source: 'config.json' };
    expect(startModel([resNet()], { description }).config.model.visual.stages).toHaveLength(4);
  });
});

describe('files that do not make a model', () => {
  it('are refused with a sentence that names them', () => {
    expect(() => startModel([bert()])).toThrow(
      'bert.safetensors holds a BERT of 10 word pieces: the vocab.txt that was published with it is needed too; give it together with the weights.',
    );
    expect(() => startModel([bert()], { vocabulary: [...words, 'lung'] })).toThrow(
      'vocab.txt has 11 word pieces, the BERT in bert.safetensors has 10: give the vocab.txt that was published with these weights.',
    );
    expect(() => startModel([bert(), weightFile('other.safetensors', smallBert(''))], { vocabulary: words })).toThrow(
      'bert.safetensors and other.safetensors both hold a BERT; give one of them.',
    );
    const cut = smallResNet();
    cut.delete('layer2.1.bn2.running_mean');
    expect(() => startModel([weightFile('cut.safetensors', cut)])).toThrow(
      /^cut\.safetensors does not hold all of a ResNet: .*1 missing \(visual\.layer2\.1\.bn2\.running_mean\)/,
    );
    const other = new Map([['net.weight', { shape: [2], data: Float32Array.of(1, 2) }]]);
    expect(() => startModel([resNet(), weightFile('net.safetensors', other)])).toThrow(
      /^net\.safetensors holds no enc/,
    );
  });
});

describe.skipIf(!hasMaterials('data/weights', 'data/bert'))('the reference materials (../shared)', () => {
  const tiny = (name: string) => join(materials, 'data/weights/bert-tiny-synthetic', name);
  const json = (name: string) => JSON.parse(readFileSync(tiny(name), 'utf8'));
  const cased = () => parseVocabulary(readFileSync(join(materials, 'data/bert/bert-base-cased-vocab.txt'), 'utf8'));
  const resNet50 = () => openMaterial('data/weights/resnet50-slim-synthetic/resnet50-slim-f16-no-fc.safetensors');
  const options = () => ({ vocabulary: cased(), description: { json: json('config.json'), source: 'config.json' } });

  it.each(['model-f16.safetensors', 'pytorch_model.bin', 'pytorch_model-legacy-gamma-beta.bin'])(
    'give with %s a model whose BERT computes what PyTorch computed',
    async (name) => {
      const file = readTensors(Uint8Array.from(readFileSync(tiny(name))), name);
      const made = startModel([resNet50(), file], options());
      expectWhole(made);
      const model = new GroundingModel(made.config.model).setTraining(false);
      using arena = new ParameterArena(gpu(), model, { initialize: false });
      await loadStateDict(arena, made.state, { strict: true });
      const expected = json('expected.json');
      const [ids, mask] = ['input_ids', 'attention_mask'].map((field) =>
        tensor(gpu(), Int32Array.from(expected[field].flat()), [3, 21], { dtype: 'i32' }),
      );
      const hidden = model.bert.forward(ids!, mask!).hidden.at(-1);
      const got = await hidden!.array.read();
      // What stands in the place of padding was not written down.
      for (const [row, texts] of expected.last_hidden_state.entries()) {
        const wanted: number[] = texts.flat();
        expectClose(got.slice(row * 21 * 32).slice(0, wanted.length), wanted, 1e-3, 1e-4);
      }
    },
  );

  it('need the heads and the vocabulary that belong to them', () => {
    const file = () => openMaterial('data/weights/bert-tiny-synthetic/model-f16.safetensors');
    expect(() => startModel([file()], { vocabulary: cased() })).toThrow(/num_attention_heads in the config\.json/);
    const uncased = parseVocabulary(readFileSync(join(materials, 'data/bert/bert-base-uncased-vocab.txt'), 'utf8'));
    expect(() => startModel([file()], { ...options(), vocabulary: uncased })).toThrow(
      /vocab\.txt has 30522 word pieces, the BERT in .* has 28996/,
    );
  });
});
