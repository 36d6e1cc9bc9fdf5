// Gradients of reductions over the middle axis of [outer, length, inner]; sum and mean need no kernel.
//
// log-sum-exp: dx = dy exp(x - y); maximum: dx = dy at the position of the maximum, else 0. One invocation per element.
// bindings: 0 x (read), 1 y (read; the result, or the position of the maximum), 2 dy (read), 3 dx (write)
// params: count, length, inner

const MAX: u32 = 0u;
const LOG_SUM_EXP: u32 = 1u;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> y: array<u32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flatIndex(global, groups);
  if (i >= params.count) {
    return;
  }
  let rest = i / params.inner;
  let column = i - rest * params.inner;
  let slab = rest / params.length;
  let row = slab * params.inner + column;
  if (OP == MAX) {
    dx[i] = select(0.0, dy[row], rest - slab * params.length == y[row]);
  } else {
    dx[i] = dy[row] * exp(x[i] - bitcast<f32>(y[row]));
  }
}
