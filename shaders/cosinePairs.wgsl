// Cosines of all pairs from their dot products and norms: y[i, j] = dot[i, j] / max(normA[i] normB[j], eps).
//
// bindings: 0 dot [rows, cols], 1 normA [rows], 2 normB [cols] (read), 3 y [rows, cols] (write)
// params: count, cols, eps

@group(0) @binding(0) var<storage, read> dots: array<f32>;
@group(0) @binding(1) var<storage, read> normA: array<f32>;
@group(0) @binding(2) var<storage, read> normB: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flatIndex(global, groups);
  if (i < params.count) {
    y[i] = dots[i] / max(normA[i / params.cols] * normB[i % params.cols], params.eps);
  }
}
