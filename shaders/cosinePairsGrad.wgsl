// Coefficients of the gradients of all pairwise cosines y[i, j].
//
// With w = max(normA[i] normB[j], eps): da = across b - a (row sums of alongA) and db = across^T a - b (column sums of
// alongB), where across = dy / w and along = dy y / norm^2, or 0 where w is eps and thus constant.
// bindings: 0 y, 1 dy [rows, cols], 2 normA [rows], 3 normB [cols] (read), 4 across, 5 alongA, 6 alongB (write)
// params: count, cols, eps

@group(0) @binding(0) var<storage, read> y: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> normA: array<f32>;
@group(0) @binding(3) var<storage, read> normB: array<f32>;
@group(0) @binding(4) var<storage, read_write> across: array<f32>;
@group(0) @binding(5) var<storage, read_write> alongA: array<f32>;
@group(0) @binding(6) var<storage, read_write> alongB: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flatIndex(global, groups);
  if (i >= params.count) {
    return;
  }
  let a = normA[i / params.cols];
  let b = normB[i % params.cols];
  let grad = dy[i];
  across[i] = grad / max(a * b, params.eps);
  var shareA = 0.0;
  var shareB = 0.0;
  if (a * b > params.eps) {
    shareA = grad * y[i] / a / a;
    shareB = grad * y[i] / b / b;
  }
  alongA[i] = shareA;
  alongB[i] = shareB;
}
