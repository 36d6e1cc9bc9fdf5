import type { ByteSource } from '../byteSource.ts';
import { TensorFileError } from '../errors.ts';
import type { TensorFile } from '../tensorFile.ts';
import { ByteCursor } from './byteCursor.ts';
import { torchWorld } from './objects.ts';
import { type PlacedStorage, placeCheckpoint } from './place.ts';
import { unpickle } from './unpickle.ts';

const magic = 0x1950a86a20f9469cfc6cn;
const protocolVersion = 1001;

/**
 * Opens what `torch.save` wrote before PyTorch 1.6: five pickles (magic number, version, system, object, storage keys),
 * then for each key the number of elements in 8 bytes and the elements. Elements are read when they are asked for.
 * @throws TensorFileError if it is something else, cut off, or was written on a big-endian machine.
 */
export function openTorchLegacy(source: ByteSource): TensorFile {
  const file = source.name;
  const cursor = new ByteCursor(source);
  const world = torchWorld(file);
  const next = (): unknown => unpickle(cursor, file, world);
  if (next() !== magic) {
    throw new TensorFileError(
      `${file} is a pickle, but not one of torch.save: its magic number is missing. Load it in Python and write it ` +
        'again with torch.save or safetensors.',
    );
  }
  const version = next();
  if (version !== protocolVersion) {
    throw new TensorFileError(`${file} has version ${String(version)} of the torch.save format, expected 1001.`);
  }
  const system = next();
  if (system instanceof Map && system.get('little_endian') === false) {
    throw new TensorFileError(
      `${file} was written on a big-endian machine; load it with PyTorch there and write it as safetensors.`,
    );
  }
  const root = next();
  const keys = next();
  if (!Array.isArray(keys)) throw new TensorFileError(`${file} is damaged: its list of storages is missing.`);
  const placed = new Map<string, PlacedStorage>();
  for (const key of keys) {
    const storage = world.storages.get(String(key));
    if (!storage) throw new TensorFileError(`${file} is damaged: nothing describes its storage ${String(key)}.`);
    if (storage.elementBytes === 0) {
      throw new TensorFileError(`${file} has storages of the type ${storage.type}, whose size is not known.`);
    }
    const length = cursor.u64();
    if (length !== storage.length) {
      throw new TensorFileError(
        `${file} is damaged: storage ${storage.key} has ${length} elements, expected ${storage.length}.`,
      );
    }
    const bytes = length * storage.elementBytes;
    if (cursor.position + bytes > source.size) {
      throw new TensorFileError(
        `${file} is cut off: storage ${storage.key} ends at byte ${cursor.position + bytes}, the file has ${source.size}.`,
      );
    }
    placed.set(storage.key, { begin: cursor.position, bytes });
    cursor.position += bytes;
  }
  return placeCheckpoint(source, 'torch.save (legacy)', root, placed);
}
