import type { Gpu } from '../gpu/gpu.ts';
import type { Scoped } from '../gpu/scope.ts';
import { escapes } from '../gpu/scope.ts';
import { contiguous } from '../kernels/copy.ts';
import type { DType, TypedArray } from '../kernels/dtype.ts';
import { NDArray } from '../kernels/ndarray.ts';
import type { Shape } from '../kernels/shape.ts';
import type { Node } from './tape.ts';

/**
 * An array with a place in the gradient tape. Operations are functions (`matmul(x, w)`); they check shapes on the
 * host, record kernels and return at once. Only `data()` and `item()` wait for the GPU.
 */
export class Tensor implements Scoped {
  readonly array: NDArray;
  readonly requiresGrad: boolean;
  /** What produced this tensor; undefined on leaves and under `noGrad`. */
  readonly node: Node | undefined;
  /** Gradient of a leaf after `backward`; accumulates over calls. */
  grad: NDArray | undefined;
  /** Whether `grad` holds no gradient yet, whatever is in its memory: the next one replaces it instead of being added. */
  gradIsUnset = false;

  constructor(array: NDArray, options: { readonly requiresGrad?: boolean; readonly node?: Node } = {}) {
    this.array = array;
    this.node = options.node;
    this.requiresGrad = options.requiresGrad ?? options.node !== undefined;
  }

  get gpu(): Gpu {
    return this.array.gpu;
  }

  get shape(): Shape {
    return this.array.shape;
  }

  get dtype(): DType {
    return this.array.dtype;
  }

  get rank(): number {
    return this.array.rank;
  }

  get size(): number {
    return this.array.size;
  }

  /** The values in row-major order. */
  async data(): Promise<TypedArray> {
    if (this.array.isDense) return this.array.read();
    const copy = contiguous(this.array);
    try {
      return await copy.read();
    } finally {
      copy.dispose();
    }
  }

  /** The value of a tensor with one element. */
  async item(): Promise<number> {
    const [value] = await this.data();
    return value ?? Number.NaN;
  }

  /** The same values outside the tape. Shares storage; dispose both, or let a scope do it. */
  detach(): Tensor {
    return new Tensor(this.array.view(this.array.shape, this.array.strides));
  }

  /** Frees the array and its gradient. May be called again. */
  dispose(): void {
    this.array.dispose();
    this.grad?.dispose();
    this.grad = undefined;
  }

  /** What lives on when this is returned from a scope. */
  *[escapes](): Iterable<Scoped> {
    yield this.array;
    if (this.grad) yield this.grad;
  }

  /** As `dispose`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** Element type of a new tensor, and whether `backward` is to give it a gradient. */
export interface TensorOptions {
  readonly dtype?: DType;
  readonly requiresGrad?: boolean;
}

/** Uploads host values in row-major order. @throws ShapeError if their number does not fit the shape. */
export function tensor(gpu: Gpu, values: ArrayLike<number>, shape: Shape, options: TensorOptions = {}): Tensor {
  return new Tensor(NDArray.from(gpu, values, shape, options.dtype ?? 'f32'), {
    requiresGrad: options.requiresGrad ?? false,
  });
}
