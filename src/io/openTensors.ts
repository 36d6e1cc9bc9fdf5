import { type ByteSource, bytesSource } from './byteSource.ts';
import { TensorFileError } from './errors.ts';
import { openSafetensors } from './safetensors.ts';
import type { TensorFile } from './tensorFile.ts';
import { openTorchLegacy } from './torch/legacy.ts';
import { openTorchZip } from './torch/zip.ts';

const expected = 'expected safetensors or what torch.save writes (.pt, .pth, .bin, .ckpt)';

/** What people have under a weight file's name when it is none. */
const impostors: readonly (readonly [begin: string, what: string])[] = [
  ['version https://git-lfs', 'a pointer of Git LFS in place of the file; fetch the file itself (git lfs pull)'],
  ['<', 'a web page or XML, perhaps the answer of a download that failed'],
  ['\u0089HDF', 'an HDF5 file (Keras or TensorFlow)'],
  ['GGUF', 'a GGUF file'],
  ['\u001f\u008b', 'compressed with gzip; unpack it first'],
];

/**
 * Opens a file of tensors in any of the formats, told apart by their content: safetensors, `torch.save` (zip or legacy,
 * Lightning checkpoints among them). Only the table of contents is read. The source is closed if that fails.
 * @throws TensorFileError that says what is wrong with the file.
 */
export function openTensors(source: ByteSource): TensorFile {
  try {
    return open(source);
  } catch (error) {
    source.close();
    throw error;
  }
}

/** `openTensors` of bytes in memory, such as those of a browser's `File`; `name` is for error messages. */
export function readTensors(content: Uint8Array | ArrayBuffer, name: string): TensorFile {
  return openTensors(bytesSource(name, content));
}

function open(source: ByteSource): TensorFile {
  const { name, size } = source;
  const head = source.read(0, Math.min(size, 512));
  const text = String.fromCharCode(...head);
  if (text.startsWith('PK\u0003\u0004') || text.startsWith('PK\u0005\u0006')) {
    return openTorchZip(source);
  }
  if (text[8] === '{' || name.endsWith('.safetensors')) return openSafetensors(source);
  // A pickle begins with its protocol, or, in protocol 0, with the magic number as a long.
  if (head[0] === 0x80 || text.startsWith('L1195470')) return openTorchLegacy(source);
  if (text.slice(257, 262) === 'ustar') {
    throw new TensorFileError(
      `${name} is a tar file, as PyTorch wrote before 0.1.10; load it there and save it again.`,
    );
  }
  const impostor = impostors.find(([begin]) => text.startsWith(begin));
  if (impostor) throw new TensorFileError(`${name} is ${impostor[1]}; ${expected}.`);
  throw new TensorFileError(`${name} is in no known format (${size} bytes); ${expected}.`);
}
