import { ShapeError } from '../gpu/errors.ts';
import { formatShape, sameShape } from '../kernels/shape.ts';
import type { HostArray, ParameterArena } from './arena.ts';

/** Tensors by name, each made when it is asked for: a `TensorFile`, for example. */
export interface TensorSource {
  names(): Iterable<string>;
  info(name: string): { readonly shape: readonly number[] };
  tensor(name: string): HostArray;
}

export interface LoadOptions {
  /** Load only into parameters whose names start with this, such as `visual.`. */
  readonly target?: string;
  /** Beginnings of source names that are removed until the rest is a name of the module. */
  readonly prefixes?: readonly string[];
  /** Source tensors that are left out without a word, besides the usual ones (see `defaultIgnored`). */
  readonly ignore?: readonly RegExp[];
  /** Throw unless everything matches. False by default. */
  readonly strict?: boolean;
  /** Add up the input channels of a colour convolution where the module expects one (grey) channel. */
  readonly foldChannels?: boolean;
}

export interface ShapeMismatch {
  /** Name in the module and in the source. */
  readonly name: string;
  readonly source: string;
  readonly expected: readonly number[];
  readonly found: readonly number[];
}

/** What became of every tensor. */
export interface MatchReport {
  /** Names in the module that were loaded. */
  readonly matched: readonly string[];
  /** Names in the module that the source does not have; they keep their values. */
  readonly missing: readonly string[];
  /** Names in the source that the module does not have. */
  readonly unexpected: readonly string[];
  readonly ignored: readonly string[];
  readonly mismatched: readonly ShapeMismatch[];
}

/** What wrappers put in front of names: DataParallel, Lightning, BERT with heads. */
export const defaultPrefixes: readonly string[] = ['module.', 'model.', 'state_dict.', 'bert.'];

/** Counters, constant index buffers and the pre-training heads of BERT. */
export const defaultIgnored: readonly RegExp[] = [
  /(^|\.)num_batches_tracked$/,
  /(^|\.)position_ids$/,
  /(^|\.)cls\.(predictions|seq_relationship)\./,
];

/** Old TensorFlow names of a normalisation's weight and bias. */
function unaliased(name: string): string {
  return name.replace(/(^|\.)gamma$/, '$1weight').replace(/(^|\.)beta$/, '$1bias');
}

/** The names in the module that a source name may mean, the most literal one first. */
function* candidates(name: string, target: string, prefixes: readonly string[]): Generator<string> {
  let rest = unaliased(name);
  yield target + name;
  yield target + rest;
  if (target && rest.startsWith(target)) yield rest;
  for (let found: string | undefined = ''; found !== undefined; ) {
    found = prefixes.find((prefix) => prefix && rest.startsWith(prefix));
    if (found === undefined) return;
    rest = rest.slice(found.length);
    yield target + rest;
  }
}

/** `[out, channels, height, width]` summed over the channels. */
function sumChannels({ shape, data }: HostArray): Float32Array {
  const [out = 1, channels = 1, height = 1, width = 1] = shape;
  const plane = height * width;
  const sums = new Float32Array(out * plane);
  for (let o = 0; o < out; o++) {
    for (let c = 0; c < channels; c++) {
      const base = (o * channels + c) * plane;
      for (let p = 0; p < plane; p++) sums[o * plane + p] = (sums[o * plane + p] ?? 0) + (data[base + p] ?? 0);
    }
  }
  return sums;
}

function isFoldable(found: readonly number[], expected: readonly number[]): boolean {
  return found.length === 4 && expected.length === 4 && sameShape([...found].with(1, 1), expected);
}

function listed(title: string, items: readonly string[]): string[] {
  if (items.length === 0) return [];
  return [`${items.length} ${title} (${items.slice(0, 3).join(', ')}${items.length > 3 ? ', ...' : ''})`];
}

/** One line for people: how many tensors fitted, and the first names of those that did not. */
export function describeMatch({ matched, missing, unexpected, mismatched }: MatchReport): string {
  const shapes = mismatched.map(
    ({ name, expected, found }) => `${name}: expected ${formatShape(expected)}, found ${formatShape(found)}`,
  );
  return [
    `${matched.length} loaded`,
    ...listed('missing', missing),
    ...listed('not used', unexpected),
    ...listed('of another shape', shapes),
  ].join('; ');
}

/**
 * Loads published weights into the module of an arena by name: prefixes of wrappers are removed, `gamma`/`beta` are
 * read as `weight`/`bias`, shapes are compared in PyTorch's order. Tensors are read one after the other.
 * @throws ShapeError if `strict` and anything is missing, unexpected or of another shape; nothing is loaded then.
 */
export function loadStateDict(
  arena: ParameterArena,
  source: TensorSource | ReadonlyMap<string, HostArray>,
  options: LoadOptions = {},
): MatchReport {
  const { target = '', prefixes = defaultPrefixes, ignore = [], strict = false, foldChannels = false } = options;
  const wanted = new Map([...arena.shapes()].filter(([name]) => name.startsWith(target)));
  const tensors = source instanceof Map ? sourceOfMap(source) : (source as TensorSource);
  const matches = new Map<string, { readonly source: string; readonly fold: boolean }>();
  const mismatched: ShapeMismatch[] = [];
  const unexpected: string[] = [];
  const ignored: string[] = [];
  for (const name of tensors.names()) {
    if ([...defaultIgnored, ...ignore].some((pattern) => pattern.test(name))) {
      ignored.push(name);
      continue;
    }
    const own = [...candidates(name, target, prefixes)].find((candidate) => wanted.has(candidate));
    const expected = own === undefined ? undefined : wanted.get(own);
    if (own === undefined || expected === undefined || matches.has(own)) {
      unexpected.push(name);
      continue;
    }
    const found = tensors.info(name).shape;
    const fold = foldChannels && isFoldable(found, expected);
    if (sameShape(found, expected) || fold)
      matches.set(own, { source: name, fold: fold && !sameShape(found, expected) });
    else mismatched.push({ name: own, source: name, expected, found });
  }
  const wrongShape = new Set(mismatched.map(({ name }) => name));
  const missing = [...wanted.keys()].filter((name) => !matches.has(name) && !wrongShape.has(name));
  const report = { matched: [...matches.keys()], missing, unexpected, ignored, mismatched };
  if (strict && missing.length + unexpected.length + mismatched.length > 0) {
    throw new ShapeError(`The weights do not fit the model: ${describeMatch(report)}.`);
  }
  for (const [name, { source: from, fold }] of matches) {
    const tensor = tensors.tensor(from);
    arena.load([[name, fold ? sumChannels(tensor) : tensor.data]]);
  }
  return report;
}

function sourceOfMap(map: ReadonlyMap<string, HostArray>): TensorSource {
  const get = (name: string): HostArray => {
    const found = map.get(name);
    if (!found) throw new ShapeError(`There is no tensor ${name}.`);
    return found;
  };
  return { names: () => map.keys(), info: get, tensor: get };
}
