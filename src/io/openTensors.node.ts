import { fileSource } from './fileSource.node.ts';
import { openTensors } from './openTensors.ts';
import type { TensorFile } from './tensorFile.ts';

/**
 * Opens a weight file of any size and format (see `openTensors`); tensors are read from the disk when they are asked
 * for. The caller closes it. @throws TensorFileError if it cannot be read or is no such file.
 */
export function openTensorFile(path: string): TensorFile {
  return openTensors(fileSource(path));
}
