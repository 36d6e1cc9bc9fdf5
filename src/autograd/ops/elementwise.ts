import type { BinaryOp } from '../../kernels/binary.ts';
import { binary } from '../../kernels/binary.ts';
import type { NDArray } from '../../kernels/ndarray.ts';
import { sumTo } from '../../kernels/reduce.ts';
import type { UnaryConstants, UnaryOp } from '../../kernels/unary.ts';
import { unary, unaryGrad } from '../../kernels/unary.ts';
import { record } from '../tape.ts';
import type { Tensor } from '../tensor.ts';

type Gradient = (dy: NDArray) => NDArray;

function binaryOp(op: BinaryOp, a: Tensor, b: Tensor, gradA: Gradient, gradB: Gradient): Tensor {
  return record(op, [a, b], binary(op, a.array, b.array), (dy, [needA, needB]) => [
    needA ? sumTo(gradA(dy), a.shape) : undefined,
    needB ? sumTo(gradB(dy), b.shape) : undefined,
  ]);
}

/** `a + b` with NumPy broadcasting. */
export function add(a: Tensor, b: Tensor): Tensor {
  return binaryOp(
    'add',
    a,
    b,
    (dy) => dy,
    (dy) => dy,
  );
}

/** `a - b` with NumPy broadcasting. */
export function sub(a: Tensor, b: Tensor): Tensor {
  return binaryOp(
    'sub',
    a,
    b,
    (dy) => dy,
    (dy) => unary('neg', dy),
  );
}

/** `a * b` with NumPy broadcasting. */
export function mul(a: Tensor, b: Tensor): Tensor {
  return binaryOp(
    'mul',
    a,
    b,
    (dy) => binary('mul', dy, b.array),
    (dy) => binary('mul', dy, a.array),
  );
}

/** `a / b` with NumPy broadcasting. */
export function div(a: Tensor, b: Tensor): Tensor {
  const gradB = (dy: NDArray): NDArray => {
    const quotient = binary('div', a.array, binary('mul', b.array, b.array));
    return unary('neg', binary('mul', dy, quotient));
  };
  return binaryOp('div', a, b, (dy) => binary('div', dy, b.array), gradB);
}

/** The larger of `a` and `b` with NumPy broadcasting; at ties each side gets half of the gradient. */
export function maximum(a: Tensor, b: Tensor): Tensor {
  return binaryOp(
    'maximum',
    a,
    b,
    (dy) => binary('mul', dy, binary('maximumShare', a.array, b.array)),
    (dy) => binary('mul', dy, binary('maximumShare', b.array, a.array)),
  );
}

function unaryOp(op: UnaryOp, x: Tensor, constants?: UnaryConstants): Tensor {
  return record(op, [x], unary(op, x.array, constants), (dy) => [unaryGrad(op, x.array, dy, constants)]);
}

/** `-x` */
export const neg = (x: Tensor): Tensor => unaryOp('neg', x);
/** `e^x` */
export const exp = (x: Tensor): Tensor => unaryOp('exp', x);
/** Natural logarithm. */
export const log = (x: Tensor): Tensor => unaryOp('log', x);
/** Square root. */
export const sqrt = (x: Tensor): Tensor => unaryOp('sqrt', x);
/** `1 / sqrt(x)` */
export const rsqrt = (x: Tensor): Tensor => unaryOp('rsqrt', x);
/** Hyperbolic tangent. */
export const tanh = (x: Tensor): Tensor => unaryOp('tanh', x);
/** `x/2 (1 + erf(x / sqrt 2))`, the exact form (Hendrycks and Gimpel, arXiv 1606.08415, without the tanh fit). */
export const gelu = (x: Tensor): Tensor => unaryOp('gelu', x);
/** `max(x, 0)`; the derivative at 0 is 0. */
export const relu = (x: Tensor): Tensor => unaryOp('relu', x);
/** `1 / (1 + e^-x)` */
export const sigmoid = (x: Tensor): Tensor => unaryOp('sigmoid', x);
/** `|x|`; the derivative at 0 is 0. */
export const abs = (x: Tensor): Tensor => unaryOp('abs', x);
/** `x^2` */
export const square = (x: Tensor): Tensor => unaryOp('square', x);
/** `1 / x` */
export const reciprocal = (x: Tensor): Tensor => unaryOp('reciprocal', x);
/** Error function. */
export const erf = (x: Tensor): Tensor => unaryOp('erf', x);
/** `min(max(x, low), high)`; the derivative at the bounds is 1. */
export const clamp = (x: Tensor, low: number, high: number): Tensor => unaryOp('clamp', x, { low, high });
/** `factor * x + summand` */
export const scale = (x: Tensor, factor: number, summand = 0): Tensor =>
  unaryOp('scale', x, { low: factor, high: summand });
