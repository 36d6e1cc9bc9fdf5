import { TensorFileError } from '../errors.ts';
import { TorchTensor } from './objects.ts';
import { PickleGlobal, PickleStub } from './pickleValues.ts';

/** Bounds of what a checkpoint may nest: pickles can say "ten times the same" again and again. */
const deepest = 64;
const mostItems = 2_000_000;
const longestName = 2_000;

/** Numbers and texts are kept for people to look at; more than this is no help to them. */
const mostNotes = 200;
const longestNote = 200;

export interface FlatCheckpoint {
  readonly tensors: ReadonlyMap<string, TorchTensor>;
  readonly notes: Readonly<Record<string, string>>;
  readonly stubs: readonly string[];
}

/** Attributes of a pickled `torch.nn.Module` that do not show in the names of its tensors. */
const transparent = new Set(['_parameters', '_buffers', '_modules']);

function noteOf(value: unknown): string | undefined {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'string') return value.length > longestNote ? `${value.slice(0, longestNote)}...` : value;
  return undefined;
}

/** Every tensor of a checkpoint under the dotted path that leads to it, through dictionaries, lists and whole modules. */
export function flattenCheckpoint(root: unknown, file: string): FlatCheckpoint {
  const tensors = new Map<string, TorchTensor>();
  const notes: [string, string][] = [];
  const stubs = new Set<string>();
  const path = new Set<unknown>();
  let items = 0;

  const place = (name: string, tensor: TorchTensor): void => {
    const own = name || 'tensor';
    if (own.length > longestName)
      throw new TensorFileError(`${file} has a tensor whose name has ${own.length} characters.`);
    if (tensors.has(own)) throw new TensorFileError(`${file} has two tensors called ${own}.`);
    tensors.set(own, tensor);
  };
  const enter = (value: object, name: string, children: Iterable<readonly [unknown, unknown]>): void => {
    if (path.has(value)) return;
    if (path.size >= deepest) throw new TensorFileError(`${file} nests dictionaries more than ${deepest} deep.`);
    path.add(value);
    for (const [key, child] of children) {
      const isTransparent = typeof key === 'string' && transparent.has(key);
      const part = typeof key === 'string' || typeof key === 'number' || typeof key === 'bigint' ? String(key) : '?';
      walk(child, isTransparent ? name : name ? `${name}.${part}` : part);
    }
    path.delete(value);
  };
  const walk = (value: unknown, name: string): void => {
    items += 1;
    if (items > mostItems) throw new TensorFileError(`${file} holds more than ${mostItems} values beside its tensors.`);
    if (value instanceof TorchTensor) place(name, value);
    else if (value instanceof Map) enter(value, name, value as Map<unknown, unknown>);
    else if (Array.isArray(value)) enter(value, name, value.entries());
    else if (value instanceof PickleStub) {
      stubs.add(value.name);
      if (value.state instanceof Map) enter(value, name, value.state as Map<unknown, unknown>);
    } else if (value instanceof PickleGlobal) return;
    else if (notes.length < mostNotes && name.length <= longestName) {
      const note = noteOf(value);
      if (note !== undefined) notes.push([name, note]);
    }
  };
  walk(root, '');
  return { tensors, notes: Object.fromEntries(notes), stubs: [...stubs].sort() };
}
