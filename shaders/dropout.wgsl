// y = x / (1 - p) where the random bits of the element reach the threshold p * 2^32, else 0.
//
// The same kernel with the same seed turns dy into dx. One element per invocation.
// bindings: 0 x (read), 1 y (write)
// params: count, seed, threshold, scale (1 / (1 - p))

@group(0) @binding(0) var<storage, read> x: array<Scalar0>;
@group(0) @binding(1) var<storage, read_write> y: array<Scalar1>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flatIndex(global, groups);
  if (i < params.count) {
    y[i] = Scalar1(select(0.0, f32(x[i]) * params.scale, randomBits(i, params.seed) >= params.threshold));
  }
}
