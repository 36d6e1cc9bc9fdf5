import type { Gpu } from '../../gpu/gpu.ts';
import { accumulate, binary } from '../binary.ts';
import type { DType } from '../dtype.ts';
import { fill, fillInto } from '../fill.ts';
import { NDArray, type ResultTarget } from '../ndarray.ts';
import type { Shape } from '../shape.ts';
import { numel } from '../shape.ts';

/** Makes an operand of a repeated product; each has a seed of its own. */
export type MakeOperand = (shape: Shape, dtype: DType, seed: number) => NDArray;

/** A product that can be recorded again and again. */
export interface Repetition {
  /** What `run` reads, or adds to; for the caller to dispose. */
  readonly operands: readonly NDArray[];
  /** Records the product. The result belongs to the scope unless it is one of the operands. */
  readonly run: () => NDArray;
  /** Makes what `run` adds to zero. */
  readonly reset?: () => void;
}

export type Repeat = (gpu: Gpu, operand: MakeOperand) => Repetition;

/** Long enough that no tile sees the same numbers twice at the same place, and prime. */
const patternLength = 65_521;
const patterns = new Map<number, Float32Array>();

/** Numbers in [-1, 1) from a fixed sequence. */
function pattern(seed: number): Float32Array {
  const known = patterns.get(seed);
  if (known) return known;
  let state = Math.imul(seed + 1, 2_654_435_761) >>> 0;
  const made = Float32Array.from({ length: patternLength }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  });
  patterns.set(seed, made);
  return made;
}

/** An array of numbers in [-1, 1), the same for the same shape and seed. */
export function randomOperand(gpu: Gpu): MakeOperand {
  return (shape, dtype, seed) => {
    const values = new Float32Array(numel(shape));
    const numbers = pattern(seed);
    for (let start = 0; start < values.length; start += patternLength) {
      values.set(numbers.subarray(0, Math.min(patternLength, values.length - start)), start);
    }
    return NDArray.from(gpu, values, shape, dtype);
  };
}

export interface ArrayType {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** Records a product, in `target` where that pays. */
export type Multiply = (a: NDArray, b: NDArray, bias?: NDArray, target?: ResultTarget) => NDArray;

/** What else belongs to a product: a bias, and the array that the result is added to. */
export interface ProductExtras {
  readonly bias?: ArrayType | undefined;
  readonly sum?: ArrayType | undefined;
}

const typeOf = ({ shape, dtype }: ArrayType): ArrayType => ({ shape, dtype });

/**
 * A product of random arrays of these shapes and types. Arrays in use may be given for them: they are not kept alive, as
 * long as `multiply` keeps none itself.
 */
export function repeatProduct(multiply: Multiply, a: ArrayType, b: ArrayType, extras: ProductExtras = {}): Repeat {
  const [typeA, typeB] = [typeOf(a), typeOf(b)];
  const typeOfBias = extras.bias && typeOf(extras.bias);
  const typeOfSum = extras.sum && typeOf(extras.sum);
  return (gpu, operand) => {
    const left = operand(typeA.shape, typeA.dtype, 1);
    const right = operand(typeB.shape, typeB.dtype, 2);
    const bias = typeOfBias && operand(typeOfBias.shape, typeOfBias.dtype, 3);
    const operands = bias ? [left, right, bias] : [left, right];
    if (!typeOfSum) return { operands, run: () => multiply(left, right, bias) };
    const total = fill(gpu, typeOfSum.shape, 0, typeOfSum.dtype);
    return {
      operands: [...operands, total],
      run: () => addTo(total, multiply(left, right, bias, { array: total, accumulate: true })),
      reset: () => fillInto(total, 0),
    };
  };
}

/** What a caller does with a result that did not end in its target. */
function addTo(total: NDArray, result: NDArray): NDArray {
  if (result === total) return total;
  if (total.dtype !== 'f32') return binary('add', total, result);
  accumulate(total, result);
  return total;
}
