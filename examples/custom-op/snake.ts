/**
 * An operation that groundray does not have, made outside of it: `snake(x) = x + sin(a x)^2 / a`, an activation for
 * periodic functions (L. Ziyin et al., "Neural networks fail to learn periodic functions and how to fix it", eq. 3).
 * Its gradient is `1 + sin(2 a x)`.
 */
import { contiguous, defineKernel, grid1d, NDArray, record, type Tensor } from 'groundray';

const workgroup = 64;
const params = { count: 'u32', a: 'f32' } as const;
const variants = { plain: { constants: { WORKGROUP: workgroup } } } as const;

// Constants and `params` are declared by the engine in front of this text.
const main = (statement: string): string => `
@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.y * groups.x * WORKGROUP + id.x;
  if (i < params.count) { ${statement} }
}`;

const forward = defineKernel({
  name: 'snake',
  shader: `
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
${main('let s = sin(params.a * x[i]); y[i] = x[i] + s * s / params.a;')}`,
  params,
  bindings: ['read', 'write'],
  variants,
  dispatch: ({ count }) => grid1d(count, workgroup),
  cost: ({ count }) => ({ flops: 5 * count, bytes: 8 * count }),
});

const gradient = defineKernel({
  name: 'snakeGrad',
  shader: `
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;
${main('dx[i] = dy[i] * (1.0 + sin(2.0 * params.a * x[i]));')}`,
  params,
  bindings: ['read', 'read', 'write'],
  variants,
  dispatch: ({ count }) => grid1d(count, workgroup),
  cost: ({ count }) => ({ flops: 5 * count, bytes: 12 * count }),
});

/** `x + sin(a x)^2 / a`, element by element, of an f32 tensor. @param a positive: half the angular frequency */
export function snake(x: Tensor, a = 1): Tensor {
  if (!(a > 0)) throw new RangeError(`snake: expected a positive frequency, got ${a}.`);
  const { gpu, shape, size } = x;
  const input = contiguous(x.array);
  const y = NDArray.empty(gpu, shape);
  if (size > 0) forward.run(gpu, 'plain', [input, y], { count: size, a });
  return record('snake', [x], y, (dy) => {
    const dx = NDArray.empty(gpu, shape);
    if (size > 0) gradient.run(gpu, 'plain', [input, contiguous(dy), dx], { count: size, a });
    return [dx];
  });
}
