// y[o, j, i] = x[o, index[o, j, i], i] for x [outer, length, inner] and index [outer, selected, inner].
//
// Positions outside [0, length) are clamped. One element of y per invocation, any dtype.
// bindings: 0 x (read), 1 index (read), 2 y (write)
// params: count, length, selected, inner

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read> index: array<i32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flatIndex(global, groups);
  if (i >= params.count) {
    return;
  }
  let outer = i / (params.selected * params.inner);
  let position = u32(clamp(index[i], 0i, i32(params.length) - 1i));
  y[i] = x[(outer * params.length + position) * params.inner + i % params.inner];
}
