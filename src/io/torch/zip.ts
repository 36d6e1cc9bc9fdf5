import type { ByteSource } from '../byteSource.ts';
import { TensorFileError } from '../errors.ts';
import type { TensorFile } from '../tensorFile.ts';
import { ZipRecords } from '../zipRecords.ts';
import { ByteCursor } from './byteCursor.ts';
import { torchWorld } from './objects.ts';
import { type PlacedStorage, placeCheckpoint } from './place.ts';
import { unpickle } from './unpickle.ts';

function checkByteOrder(source: ByteSource, records: ZipRecords, folder: string): void {
  const order = records.find(`${folder}byteorder`);
  if (!order) return;
  const text = new TextDecoder().decode(source.read(order.begin, Math.min(order.bytes, 16)));
  if (text === 'little') return;
  throw new TensorFileError(
    `${source.name} says that its byte order is "${text}", expected "little": load it with PyTorch and write it as safetensors.`,
  );
}

/**
 * Opens what `torch.save` writes since PyTorch 1.6: a zip file with a pickle (`data.pkl`) and a record per storage.
 * Records are stored as they are, so tensors are read from their place in the file when they are asked for.
 * @throws TensorFileError if it is something else, damaged, compressed, or was written on a big-endian machine.
 */
export function openTorchZip(source: ByteSource): TensorFile {
  const file = source.name;
  const records = new ZipRecords(source);
  const names = records.names();
  const pickleName = names.find((name) => /^([^/]+\/)?data\.pkl$/.test(name));
  const pickle = pickleName === undefined ? undefined : records.find(pickleName);
  if (pickleName === undefined || !pickle) {
    const some = names.length > 0 ? `, such as ${names[0]}` : '';
    throw new TensorFileError(
      `${file} is a zip file without a data.pkl; expected what torch.save writes. It has ${names.length} records${some}.`,
    );
  }
  const folder = pickleName.slice(0, -'data.pkl'.length);
  checkByteOrder(source, records, folder);
  const world = torchWorld(file);
  const root = unpickle(new ByteCursor(source, pickle.begin, pickle.begin + pickle.bytes), file, world);
  const placed = new Map<string, PlacedStorage>();
  for (const key of world.storages.keys()) {
    const record = records.find(`${folder}data/${key}`);
    if (record) placed.set(key, record);
  }
  return placeCheckpoint(source, 'torch.save (zip)', root, placed);
}
