import { ShapeError } from '../../gpu/errors.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import { formatShape } from '../../kernels/shape.ts';
import { ParameterArena } from '../../nn/arena.ts';
import { loadStateDict, type TensorSource } from '../../nn/checkpoint.ts';
import type { MatchReport } from '../../nn/match.ts';
import type { Module } from '../../nn/module.ts';
import { type BertConfig, bertBaseConfig } from '../bert.ts';
import { type ResNetConfig, resNetConfig } from '../resnet.ts';
import { bertConfigOf } from '../towers.ts';

/** How the tensors of a published system are called, and what they are called in our module. */
export interface PublishedNames {
  /** Name of the system in messages. */
  readonly system: string;
  /** What the classes around the network put in front of names, besides the usual wrappers. */
  readonly wrappers?: readonly string[];
  /** Beginnings of published names with what stands for them in the module; the first that fits holds. */
  readonly beginnings: readonly (readonly [published: string, own: string])[];
  /** Published names of parts that localization does not use. */
  readonly ignored: readonly RegExp[];
}

/** A file of tensors and what to call it in messages. */
export interface WeightFile {
  readonly name: string;
  readonly tensors: TensorSource;
}

/** Published weights seen under the names of our module. */
export interface PublishedWeights {
  readonly names: PublishedNames;
  /** The files, for messages. */
  readonly label: string;
  readonly tensors: TensorSource;
}

/** DataParallel, Lightning, and dictionaries that hold the model beside other things. */
const usualWrappers = ['module.', 'model.', 'state_dict.'];

/** What training scripts save beside the network. */
const trainingState = /^(optimizer|optimizer_states|lr_scheduler|lr_schedulers|callbacks|loops|hyper_parameters)\./;

function withoutWrappers(name: string, wrappers: readonly string[]): string {
  let rest = name;
  for (;;) {
    const found = wrappers.find((wrapper) => rest.startsWith(wrapper));
    if (found === undefined) return rest;
    rest = rest.slice(found.length);
  }
}

/**
 * Puts the tensors of one or more files under the names of our module.
 * @throws ShapeError if two files have the same tensor, as when one file is named twice.
 */
export function publishedWeights(names: PublishedNames, files: readonly WeightFile[]): PublishedWeights {
  const wrappers = [...usualWrappers, ...(names.wrappers ?? [])];
  const found = new Map<string, { readonly file: WeightFile; readonly name: string }>();
  for (const file of files) {
    for (const name of file.tensors.names()) {
      if (trainingState.test(name)) continue;
      const bare = withoutWrappers(name, wrappers);
      if (names.ignored.some((pattern) => pattern.test(bare))) continue;
      const fitting = names.beginnings.find(([published]) => bare.startsWith(published));
      const own = fitting ? fitting[1] + bare.slice(fitting[0].length) : bare;
      const other = found.get(own);
      if (other) {
        throw new ShapeError(
          `${names.system}: ${bare} is in ${other.file.name} and again in ${file.name}; name each part once.`,
        );
      }
      found.set(own, { file, name });
    }
  }
  const entry = (own: string) => {
    const at = found.get(own);
    if (!at) throw new ShapeError(`${names.system}: there is no tensor ${publishedName(names, own)}.`);
    return at;
  };
  const tensors: TensorSource = {
    names: () => found.keys(),
    info: (own) => entry(own).file.tensors.info(entry(own).name),
    tensor: (own) => entry(own).file.tensors.tensor(entry(own).name),
  };
  return { names, label: files.map(({ name }) => name).join(' and '), tensors };
}

/** What a tensor of our module is called in the published weights. */
export function publishedName({ beginnings }: PublishedNames, own: string): string {
  const fitting = beginnings.find(([, beginning]) => own.startsWith(beginning));
  return fitting ? fitting[0] + own.slice(fitting[1].length) : own;
}

/**
 * Shape of a tensor (under its own name) from which sizes of the architecture are read; `rank` axes.
 * @throws ShapeError that says which tensor the weights should have.
 */
export function shapeOf({ names, label, tensors }: PublishedWeights, own: string, rank: number): readonly number[] {
  const known = [...tensors.names()];
  const wanted = publishedName(names, own);
  if (!known.includes(own)) {
    const some = known.slice(0, 3).map((name) => publishedName(names, name));
    throw new ShapeError(
      `${label} is not all of ${names.system}: expected a tensor ${wanted}, found ${known.length} others` +
        `${some.length > 0 ? `, starting with ${some.join(', ')}` : ''}.`,
    );
  }
  const { shape } = tensors.info(own);
  if (shape.length !== rank) {
    throw new ShapeError(`${label}: expected ${rank} axes in ${wanted}, found the shape ${formatShape(shape)}.`);
  }
  return shape;
}

/** A ResNet of the published depth whose width is that of the weights; `own` is its place in the module, with a dot. */
export function resNetOf(weights: PublishedWeights, own: string, blocks: readonly number[]): ResNetConfig {
  const [width = 0] = shapeOf(weights, `${own}conv1.weight`, 4);
  return resNetConfig(blocks, width);
}

/** A BERT without pooler, of the published depth, whose sizes are those of the weights. @throws ShapeError */
export function bertOf(weights: PublishedWeights, own: string, layers = bertBaseConfig.layers): BertConfig {
  const config = bertConfigOf(weights.label, (name, rank) => shapeOf(weights, own + name, rank), layers);
  return { ...config, dropout: 0 };
}

/** A system on the GPU, ready to be asked; `arena` owns its parameters and is disposed by the caller. */
export interface LoadedSystem<M extends Module> {
  readonly model: M;
  readonly arena: ParameterArena;
}

/**
 * Gives a module its published parameters, without gradients.
 * @throws ShapeError that lists the tensors that are missing, not used or of another shape; nothing stays on the GPU then.
 */
export async function loadPublished<M extends Module>(
  gpu: Gpu,
  model: M,
  weights: PublishedWeights,
): Promise<LoadedSystem<M>> {
  const arena = new ParameterArena(gpu, model, { initialize: false, frozen: () => true });
  try {
    const report = await loadStateDict(arena, weights.tensors, { prefixes: [] });
    const wrong = describeWrong(weights.names, report);
    if (wrong.length > 0) {
      throw new ShapeError(`${weights.label} does not fit ${weights.names.system}: ${wrong.join('; ')}.`);
    }
    model.setTraining(false);
    return { model, arena };
  } catch (error) {
    arena.dispose();
    throw error;
  }
}

const mostListed = 12;

function describeWrong(names: PublishedNames, { missing, unexpected, mismatched }: MatchReport): string[] {
  const list = (title: string, items: readonly string[]): string[] => {
    if (items.length === 0) return [];
    const more = items.length > mostListed ? ` and ${items.length - mostListed} more` : '';
    return [`${items.length} ${title} (${items.slice(0, mostListed).join(', ')}${more})`];
  };
  const published = (own: string) => publishedName(names, own);
  return [
    ...list('missing', missing.map(published)),
    ...list('not known', unexpected.map(published)),
    ...list(
      'of another shape',
      mismatched.map(
        ({ name, expected, found }) =>
          `${published(name)}: expected ${formatShape(expected)}, found ${formatShape(found)}`,
      ),
    ),
  ];
}
