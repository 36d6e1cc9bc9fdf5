import { phantomVocabulary } from '../data/phantom/vocabulary.ts';
import type { TensorFile } from '../io/tensorFile.ts';
import { GroundingModel } from '../models/grounding.ts';
import { bertIn, resNetIn, type Tower, towerPrefixes, towersIn } from '../models/towers.ts';
import type { TensorSource } from '../nn/checkpoint.ts';
import { initialState } from '../nn/initialState.ts';
import { describeMatch, isComplete, matchTensors, stateShapes } from '../nn/match.ts';
import { parseRunConfig, type RunConfig } from './config.ts';
import { ConfigError } from './errors.ts';
import { describedBert, parseBertDescription } from './huggingFace.ts';
import { presets } from './presets.ts';

/** A model of which one or both encoders are pretrained, and nothing else. */
export interface StartModel {
  readonly config: RunConfig;
  readonly vocabulary: readonly string[];
  /** All parameters and buffers, each made when it is asked for; the files of the encoders have to stay open. */
  readonly state: TensorSource;
  /** What the model can be used for, to be shown with everything it says. */
  readonly note: string;
}

/** What came with the weights that `startModel` is given. */
export interface StartModelOptions {
  /** Word pieces that were published with the BERT. Without one it is that of the phantoms by default. */
  readonly vocabulary?: readonly string[];
  /** The `config.json` that was published with the BERT, which says how many heads it has; looked at only where there is a BERT. */
  readonly description?: { readonly json: unknown; readonly source: string };
  /** Of everything that is not pretrained; 0 by default. */
  readonly seed?: number;
}

const parts = {
  visual: { target: 'visual.', kind: 'a ResNet', encoder: 'image encoder' },
  text: { target: 'bert.', kind: 'a BERT', encoder: 'text encoder' },
} as const;

/** The file for each tower. @throws ConfigError if there are two for one. */
function assign(files: readonly TensorFile[]): Map<Tower, TensorFile> {
  const from = new Map<Tower, TensorFile>();
  for (const file of files) {
    for (const tower of towersIn(file.file, file)) {
      const other = from.get(tower);
      if (other)
        throw new ConfigError(`${other.file} and ${file.file} both hold ${parts[tower].kind}; give one of them.`);
      from.set(tower, file);
    }
  }
  return from;
}

/** The BERT of the weights, or a small one: as many random numbers as BERT-base has would say no more. */
function textOf(file: TensorFile | undefined, { vocabulary, description }: StartModelOptions) {
  if (!file) {
    const words = vocabulary ?? phantomVocabulary();
    const { text } = presetOf('phantom').model;
    return { vocabulary: words, text: { ...text, vocabulary: words.length } };
  }
  const described = description && parseBertDescription(description.json, description.source);
  const own = bertIn(file.file, file, described?.num_attention_heads);
  const text = described && description ? describedBert(own, described, description.source) : own;
  if (!vocabulary) {
    throw new ConfigError(
      `${file.file} holds a BERT of ${text.vocabulary} word pieces: the vocab.txt that was published with it is needed too; ` +
        'give it together with the weights.',
    );
  }
  if (vocabulary.length !== text.vocabulary) {
    throw new ConfigError(
      `vocab.txt has ${vocabulary.length} word pieces, the BERT in ${file.file} has ${text.vocabulary}: give the vocab.txt that ` +
        'was published with these weights.',
    );
  }
  return { vocabulary, text, lowerCase: described?.do_lower_case };
}

function presetOf(name: 'paper' | 'phantom'): RunConfig {
  const preset = presets[name];
  if (!preset) throw new Error(`The preset ${name} is missing.`);
  return preset;
}

function noteOn(from: ReadonlyMap<Tower, TensorFile>): string {
  const [visual, text] = [from.get('visual')?.file, from.get('text')?.file];
  const begin =
    visual !== undefined && text !== undefined
      ? 'Image and text encoder are pretrained, but what joins them is random'
      : `Only the ${parts[text === undefined ? 'visual' : 'text'].encoder} is pretrained, the rest is random`;
  return `${begin}: the maps say nothing about an image until the model is trained.`;
}

/** Published weights where there are some, start values everywhere else. */
function stateOf(model: GroundingModel, from: ReadonlyMap<Tower, TensorFile>, seed: number): TensorSource {
  const shapes = stateShapes(model);
  const initial = initialState(model, seed);
  const published = new Map<string, { readonly file: TensorFile; readonly source: string }>();
  for (const [tower, file] of from) {
    const { target, kind } = parts[tower];
    const { report, matches } = matchTensors(shapes, file, { target, prefixes: towerPrefixes });
    if (!isComplete(report)) {
      throw new ConfigError(`${file.file} does not hold all of ${kind}: ${describeMatch(report)}.`);
    }
    for (const [name, { source }] of matches) published.set(name, { file, source });
  }
  return {
    names: initial.names,
    info: initial.info,
    tensor(name) {
      const found = published.get(name);
      return found ? found.file.tensor(found.source) : initial.tensor(name);
    },
  };
}

/**
 * The model of the preset `paper` around published weights of one or both encoders: sizes come from the weights,
 * everything that they do not hold starts as a training run would start it.
 * @throws ShapeError if a file holds no encoder, or one that this model cannot be built around.
 * @throws ConfigError if files, vocabulary and description do not belong together, or one is missing.
 */
export function startModel(files: readonly TensorFile[], options: StartModelOptions = {}): StartModel {
  const { seed = 0 } = options;
  const from = assign(files);
  const paper = presetOf('paper');
  const image = from.get('visual');
  const visual = image ? resNetIn(image.file, image) : paper.model.visual;
  const { vocabulary, text, lowerCase = paper.lowerCase } = textOf(from.get('text'), options);
  const config = parseRunConfig(
    {
      ...paper,
      ...{ seed, lowerCase, maxTokens: Math.min(paper.maxTokens, text.maxPositions) },
      model: { ...paper.model, visual, localStage: Math.min(paper.model.localStage, visual.stages.length), text },
      weights: { visual: image?.file, text: from.get('text')?.file },
    },
    files.map(({ file }) => file).join(' and '),
  );
  const state = stateOf(new GroundingModel(config.model), from, seed);
  return { config, vocabulary, state, note: noteOn(from) };
}
