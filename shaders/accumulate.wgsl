// y += scale * x for two dense arrays of the same shape, in place.
//
// bindings: 0 x (read), 1 y (write)
// params: count (in Elements), scale

@group(0) @binding(0) var<storage, read> x: array<Element>;
@group(0) @binding(1) var<storage, read_write> y: array<Element>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flatIndex(global, groups);
  if (i < params.count) {
    y[i] += params.scale * x[i];
  }
}
