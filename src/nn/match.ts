import { formatShape, sameShape } from '../kernels/shape.ts';
import { publishedShape } from './layout.ts';
import type { Module } from './module.ts';

/** Names and shapes of tensors, as a file or a model has them. */
export interface TensorCatalog {
  /** Names of all tensors. */
  names(): Iterable<string>;
  /** Shape of a tensor. @throws if there is none of this name. */
  info(name: string): { readonly shape: readonly number[] };
}

export interface MatchOptions {
  /** Load only into parameters whose names start with this, such as `visual.`. */
  readonly target?: string;
  /** Beginnings of source names that are removed until the rest is a name of the module. */
  readonly prefixes?: readonly string[];
  /** Source tensors that are left out without a word, besides the usual ones (see `defaultIgnored`). */
  readonly ignore?: readonly RegExp[];
  /**
   * Fit the first convolution of networks for another number of channels, for grey images: the channels of a colour
   * kernel are added up where the module expects one, and a grey kernel is spread evenly over three.
   */
  readonly foldChannels?: boolean;
}

/** A tensor that has the name of a parameter, but not its shape. */
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
  /** Those of `matched` whose input channels were added up or spread. */
  readonly folded: readonly string[];
  /** Names in the module that the source does not have; they keep their values. */
  readonly missing: readonly string[];
  /** Names in the source that the module does not have. */
  readonly unexpected: readonly string[];
  readonly ignored: readonly string[];
  readonly mismatched: readonly ShapeMismatch[];
}

/** The source of a tensor of the module. */
export interface Match {
  readonly source: string;
  /** Channels that the source has and the module expects, where they differ. */
  readonly fold?: { readonly from: number; readonly to: number };
}

/**
 * What wrappers put in front of names: DataParallel, Lightning, BERT with heads, and the encoders of GLoRIA
 * (`gloria.img_encoder.model.`), AFLoc (`afloc.`), MGCA (`img_encoder_q.model.`) and BioViL (`encoder.encoder.`).
 * They are removed one after the other, so every combination of them is.
 */
export const defaultPrefixes: readonly string[] = [
  'module.',
  'model.',
  'state_dict.',
  'model_state_dict.',
  'bert.',
  'gloria.',
  'afloc.',
  'img_encoder.',
  'text_encoder.',
  'img_encoder_q.',
  'text_encoder_q.',
  'encoder.encoder.',
];

/** Counters, constant index buffers, BERT's pre-training heads and pooler: left out where the module has none. */
export const defaultIgnored: readonly RegExp[] = [
  /(^|\.)num_batches_tracked$/,
  /(^|\.)position_ids$/,
  /(^|\.)cls\.(predictions|seq_relationship)\./,
  /(^|\.)pooler\.dense\./,
];

/** Old TensorFlow names of a normalisation's weight and bias. */
function unaliased(name: string): string {
  return name.replace(/(^|\.)gamma$/, '$1weight').replace(/(^|\.)beta$/, '$1bias');
}

function firstPrefix(name: string, prefixes: readonly string[]): string | undefined {
  return prefixes.find((prefix) => prefix && name.startsWith(prefix));
}

/** A source name without any prefix, `gamma`/`beta` read as `weight`/`bias`: what a tower itself calls the tensor. */
export function bareName(name: string, prefixes: readonly string[] = defaultPrefixes): string {
  let rest = unaliased(name);
  for (let found = firstPrefix(rest, prefixes); found !== undefined; found = firstPrefix(rest, prefixes)) {
    rest = rest.slice(found.length);
  }
  return rest;
}

/** The names in the module that a source name may mean, the most literal one first. */
function* candidates(name: string, target: string, prefixes: readonly string[]): Generator<string> {
  let rest = unaliased(name);
  yield target + name;
  yield target + rest;
  if (target && rest.startsWith(target)) yield rest;
  for (let found = firstPrefix(rest, prefixes); found !== undefined; found = firstPrefix(rest, prefixes)) {
    rest = rest.slice(found.length);
    yield target + rest;
  }
}

function foldOf(found: readonly number[], expected: readonly number[]): Match['fold'] | undefined {
  const [from = 0, to = 0] = [found[1], expected[1]];
  const differsOnlyInChannels =
    found.length === 4 && expected.length === 4 && sameShape([...found].with(1, to), expected) && from !== to;
  return differsOnlyInChannels && (to === 1 || (from === 1 && to === 3)) ? { from, to } : undefined;
}

/** Names and published shapes of all parameters and buffers; needs no GPU. */
export function stateShapes(module: Module): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  for (const [name, { shape, layout }] of module.namedParameters()) shapes.set(name, publishedShape(shape, layout));
  for (const [name, { shape }] of module.namedBuffers()) shapes.set(name, shape);
  return shapes;
}

/**
 * Finds the tensor of `source` for every name of `shapes`: prefixes of wrappers are removed, `gamma`/`beta` are read as
 * `weight`/`bias`, shapes are compared in PyTorch's order. Nothing is loaded.
 */
export function matchTensors(
  shapes: ReadonlyMap<string, readonly number[]>,
  source: TensorCatalog,
  options: MatchOptions = {},
): { readonly report: MatchReport; readonly matches: ReadonlyMap<string, Match> } {
  const { target = '', prefixes = defaultPrefixes, ignore = [], foldChannels = false } = options;
  const wanted = new Map([...shapes].filter(([name]) => name.startsWith(target)));
  const matches = new Map<string, Match>();
  const mismatched: ShapeMismatch[] = [];
  const unexpected: string[] = [];
  const ignored: string[] = [];
  for (const name of source.names()) {
    const own = [...candidates(name, target, prefixes)].find((candidate) => wanted.has(candidate));
    const expected = own === undefined ? undefined : wanted.get(own);
    if (own === undefined || expected === undefined || matches.has(own)) {
      const isUsual = [...defaultIgnored, ...ignore].some((pattern) => pattern.test(name));
      (isUsual ? ignored : unexpected).push(name);
      continue;
    }
    const found = source.info(name).shape;
    const fold = foldChannels ? foldOf(found, expected) : undefined;
    if (sameShape(found, expected)) matches.set(own, { source: name });
    else if (fold) matches.set(own, { source: name, fold });
    else mismatched.push({ name: own, source: name, expected, found });
  }
  const wrongShape = new Set(mismatched.map(({ name }) => name));
  const missing = [...wanted.keys()].filter((name) => !matches.has(name) && !wrongShape.has(name));
  const matched = [...matches.keys()];
  const folded = matched.filter((name) => matches.get(name)?.fold);
  const stillWrong = mismatched.filter(({ name }) => !matches.has(name));
  return { report: { matched, folded, missing, unexpected, ignored, mismatched: stillWrong }, matches };
}

function listed(title: string, items: readonly string[], most: number): string[] {
  if (items.length === 0) return [];
  return [`${items.length} ${title} (${items.slice(0, most).join(', ')}${items.length > most ? ', ...' : ''})`];
}

/** One line for people: how many tensors fitted, and the first names (3 by default) of those that did not. */
export function describeMatch(report: MatchReport, most = 3): string {
  const { matched, folded, missing, unexpected, mismatched } = report;
  const shapes = mismatched.map(
    ({ name, expected, found }) => `${name}: expected ${formatShape(expected)}, found ${formatShape(found)}`,
  );
  return [
    `${matched.length} loaded`,
    ...listed('fitted to another number of channels', folded, most),
    ...listed('missing', missing, most),
    ...listed('not used', unexpected, most),
    ...listed('of another shape', shapes, most),
  ].join('; ');
}

/** Whether every tensor of the module was found in its shape. */
export function isComplete({ missing, mismatched }: MatchReport): boolean {
  return missing.length + mismatched.length === 0;
}
