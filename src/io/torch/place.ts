import type { ByteSource } from '../byteSource.ts';
import { TensorFileError } from '../errors.ts';
import { isContiguous, stridedSpan } from '../strided.ts';
import { bytesOf } from '../tensorDtypes.ts';
import { elementCount, type TensorEntry, TensorFile, type TensorFormat } from '../tensorFile.ts';
import { flattenCheckpoint } from './flatten.ts';
import type { TorchTensor } from './objects.ts';

/** A storage's bytes in the file. */
export interface PlacedStorage {
  readonly begin: number;
  readonly bytes: number;
}

/** A view may repeat elements (`expand`); no real one has more than this, but a damaged file may claim any number. */
const mostRepeated = 2 ** 22;

function entryOf(file: string, name: string, tensor: TorchTensor, placed: PlacedStorage | undefined): TensorEntry {
  const { storage, dtype, shape, strides } = tensor;
  const width = bytesOf[dtype];
  const problem = (what: string): TensorFileError => new TensorFileError(`${file}: tensor ${name} ${what}.`);
  const count = elementCount(shape);
  const span = stridedSpan(shape, strides);
  if (count === 0) return { dtype, shape, begin: 0 };
  if (!placed) throw problem(`lies in storage ${storage.key}, which the file does not have`);
  const first = storage.offset * storage.elementBytes + tensor.offset * width;
  const end = first + span * width;
  const limit = Math.min(placed.bytes, (storage.offset + storage.length) * storage.elementBytes);
  if (!Number.isSafeInteger(end) || end > limit) {
    throw problem(`of shape [${shape.join(', ')}] needs ${end} bytes of storage ${storage.key}, which has ${limit}`);
  }
  if (count > span && count > mostRepeated) {
    throw problem(`of shape [${shape.join(', ')}] repeats ${span} stored elements ${count} times`);
  }
  const begin = placed.begin + first;
  return isContiguous(shape, strides) ? { dtype, shape, begin } : { dtype, shape, begin, strides };
}

/** Makes the table of contents of a checkpoint whose pickle was read and whose storages were found. */
export function placeCheckpoint(
  source: ByteSource,
  format: TensorFormat,
  root: unknown,
  storages: ReadonlyMap<string, PlacedStorage>,
): TensorFile {
  const { tensors, notes, stubs } = flattenCheckpoint(root, source.name);
  const entries = new Map<string, TensorEntry>();
  for (const [name, tensor] of tensors) {
    entries.set(name, entryOf(source.name, name, tensor, storages.get(tensor.storage.key)));
  }
  return new TensorFile(source, { format, entries, metadata: notes, stubs });
}
