import { TensorFileError } from './errors.ts';
import { float32ToFloat16 } from './halfFloat.ts';
import type { LazyTensor } from './safetensors.ts';
import type { TensorFile } from './tensorFile.ts';

export interface ConvertRules {
  /** Type of floating point tensors; absent = as they are. Whole numbers always stay. */
  readonly dtype?: 'F32' | 'F16' | undefined;
  /** New name of a tensor, undefined to leave it out. */
  readonly rename?: (name: string) => string | undefined;
}

const largestHalf = 65_504;

function isFloat(dtype: string): boolean {
  return dtype === 'F64' || dtype === 'F32' || dtype === 'F16' || dtype === 'BF16';
}

function asBytes({ buffer }: { readonly buffer: ArrayBuffer }): Uint8Array {
  return new Uint8Array(buffer);
}

function halves(file: TensorFile, name: string): Uint8Array {
  const { data } = file.tensor(name);
  const beyond = data.find((value) => Math.abs(value) > largestHalf && Number.isFinite(value));
  if (beyond === undefined) return asBytes(float32ToFloat16(data));
  throw new TensorFileError(
    `${file.file}: tensor ${name} holds ${beyond}, which float16 cannot (${largestHalf} at most). Convert to f32 instead.`,
  );
}

/**
 * The tensors of a file as they are to be written: renamed, converted when their turn comes, one at a time.
 * @throws TensorFileError if two tensors would have the same name.
 */
export function convertedTensors(
  file: TensorFile,
  { dtype, rename = (name) => name }: ConvertRules,
): Map<string, LazyTensor> {
  const converted = new Map<string, LazyTensor>();
  for (const name of file.names()) {
    const own = rename(name);
    if (own === undefined) continue;
    if (own === '' || converted.has(own)) {
      const what = own === '' ? `${name} would lose its whole name` : `two tensors would be called ${own}`;
      throw new TensorFileError(`${file.file}: ${what} under these rules.`);
    }
    const { dtype: stored, shape } = file.info(name);
    const wanted = dtype !== undefined && isFloat(stored) ? dtype : stored;
    const bytes = (): Uint8Array => {
      if (wanted === stored) return file.bytes(name);
      return wanted === 'F16' ? halves(file, name) : asBytes(file.tensor(name).data);
    };
    converted.set(own, { shape, dtype: wanted, bytes });
  }
  return converted;
}
