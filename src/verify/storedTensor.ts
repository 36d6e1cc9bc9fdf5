import type { TensorFile } from '../io/tensorFile.ts';
import type { HostTensor } from './compare.ts';
import { FixtureError } from './errors.ts';

export interface StoredTensor extends HostTensor {
  readonly dtype: 'f32' | 'i32';
  readonly data: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
}

/**
 * Reads a tensor of a fixtures file.
 * @param shape what the manifest says of it.
 * @throws FixtureError if the manifest is wrong, TensorFileError if there is no such tensor.
 */
export function storedTensor(file: TensorFile, name: string, shape?: readonly number[]): StoredTensor {
  const stored = file.info(name);
  if (shape && shape.join() !== stored.shape.join()) {
    throw new FixtureError(`${file.file}: tensor ${name} is [${stored.shape}], the manifest says [${shape}].`);
  }
  if (stored.dtype === 'F32') return { dtype: 'f32', ...file.tensor(name) };
  if (stored.dtype === 'I32') return { dtype: 'i32', ...file.integers(name) };
  throw new FixtureError(`${file.file}: tensor ${name} holds ${stored.dtype}, fixtures hold F32 or I32.`);
}
