// Gradient of both cross entropies of a similarity matrix.
//
// d[i, k] = (dRows (softmax of row i at k - [i = k]) + dColumns (softmax of column k at i - [i = k])) / (size tau)
// with the statistics of contrastLoss.wgsl. The two scalars stay on the GPU.
// bindings: 0 similarity [size, size], 1 equal i32 [size] or [size, size], 2 rowStats, 3 columnStats [size] of vec4, 4 dRows, 5 dColumns
//   [1] (read), 6 d [size, size] (write)
// params: size, tau

const KEYS: u32 = 1u;
const PAIRS: u32 = 2u;

@group(0) @binding(0) var<storage, read> similarity: array<f32>;
@group(0) @binding(1) var<storage, read> equal: array<i32>;
@group(0) @binding(2) var<storage, read> rowStats: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> columnStats: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> dRows: array<f32>;
@group(0) @binding(5) var<storage, read> dColumns: array<f32>;
@group(0) @binding(6) var<storage, read_write> d: array<f32>;

// Softmax minus the target for the entry with this logit.
fn residual(stats: vec4<f32>, logit: f32, own: bool) -> f32 {
  if (own) {
    return -stats.y / stats.z;
  }
  return exp(min(logit - stats.x, 0.0)) / stats.z;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let index = flatIndex(global, groups);
  if (index >= params.size * params.size) {
    return;
  }
  let i = index / params.size;
  let k = index % params.size;
  var value = 0.0;
  var counts = true;
  if (OP == KEYS) {
    counts = i == k || equal[i] != equal[k];
  } else if (OP == PAIRS) {
    counts = i == k || equal[index] == 0;
  }
  if (counts) {
    let logit = similarity[index] / params.tau;
    let rows = dRows[0] * residual(rowStats[i], logit, i == k);
    let columns = dColumns[0] * residual(columnStats[k], logit, i == k);
    value = (rows + columns) / (f32(params.size) * params.tau);
  }
  d[index] = value;
}
