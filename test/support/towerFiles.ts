import { float32ToFloat16 } from '../../src/io/halfFloat.ts';
import { readSafetensors, safetensorsChunks } from '../../src/io/safetensors.ts';
import type { TensorFile } from '../../src/io/tensorFile.ts';
import type { HostArray } from '../../src/nn/arena.ts';
import { bertShapes, generatedState, linearShapes, resNet50Shapes } from './systems/generated.ts';

export type FloatType = 'F32' | 'F16' | 'BF16';

/** The upper half of every float32, as truncation to bfloat16 leaves it. */
function bfloat16(values: Float32Array): Uint16Array {
  return Uint16Array.from(new Uint32Array(Float32Array.from(values).buffer), (bits) => bits >>> 16);
}

function stored(data: Float32Array, dtype: FloatType): Uint8Array {
  const values = dtype === 'F32' ? Float32Array.from(data) : dtype === 'F16' ? float32ToFloat16(data) : bfloat16(data);
  return new Uint8Array(values.buffer);
}

/** A safetensors file of these tensors. */
export function weightBytes(state: ReadonlyMap<string, HostArray>, dtype: FloatType = 'F32'): Uint8Array<ArrayBuffer> {
  const tensors = [...state].map(
    ([name, { shape, data }]) => [name, { shape, dtype, bytes: () => stored(data, dtype) }] as const,
  );
  return Uint8Array.from(Buffer.concat([...safetensorsChunks(new Map(tensors))]));
}

export function weightFile(name: string, state: ReadonlyMap<string, HostArray>, dtype?: FloatType): TensorFile {
  return readSafetensors(weightBytes(state, dtype), name);
}

export const words = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'left', 'right', 'pleural', 'effusion', 'no'];

/** A BERT of two layers with heads of 64 elements, over `words`, beside heads of its pre-training. */
export function smallBert(place = 'bert.', hidden = 128) {
  const sizes = { vocabulary: words.length, hidden, intermediate: 80, positions: 40, layers: 2 };
  return generatedState([...bertShapes(place, sizes), ...linearShapes('cls.seq_relationship', hidden, 2)], 41);
}

/** torchvision's ResNet-50 with its classifier, at a sixteenth of the width. */
export function smallResNet(place = '') {
  return generatedState([...resNet50Shapes(place, 4), ...linearShapes(`${place}fc`, 128, 10)], 42);
}
