// What the backward kernels of attention need of each query: largest score, 1 / sum, and delta = dy . y, the mean of
// the gradients of its probabilities under these probabilities (it also holds with dropout).
//
// One invocation per query.
// bindings: 0 y, 1 dy [rows, D4] of vec4, 2 stats [rows] (read), 3 rows [rows] of (largest, 1 / sum, delta, 0) (write)
// params: count, width (vec4 per row)

@group(0) @binding(0) var<storage, read> y: array<vec4<Scalar0>>;
@group(0) @binding(1) var<storage, read> dy: array<vec4<Scalar1>>;
@group(0) @binding(2) var<storage, read> stats: array<vec2<f32>>;
@group(0) @binding(3) var<storage, read_write> rows: array<vec4<f32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let row = flatIndex(global, groups);
  if (row >= params.count) {
    return;
  }
  var sum = vec4<f32>(0.0);
  for (var c = 0u; c < params.width; c++) {
    sum += vec4<f32>(y[row * params.width + c]) * vec4<f32>(dy[row * params.width + c]);
  }
  rows[row] = vec4<f32>(stats[row], (sum.x + sum.y) + (sum.z + sum.w), 0.0);
}
