// y[o, j, i] = x[o, index[j], i] for x [outer, length, inner]: selection along an axis, and embedding with outer = 1.
//
// Positions outside [0, length) are clamped, so that no read leaves the array. One Element of y per invocation.
// bindings: 0 x (read), 1 index (read), 2 y (write)
// params: count, length, selected, inner (count and inner in Elements)

@group(0) @binding(0) var<storage, read> x: array<ElementBits>;
@group(0) @binding(1) var<storage, read> index: array<i32>;
@group(0) @binding(2) var<storage, read_write> y: array<ElementBits>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flatIndex(global, groups);
  if (i >= params.count) {
    return;
  }
  let rest = i / params.inner;
  let outer = rest / params.selected;
  let position = u32(clamp(index[rest - outer * params.selected], 0i, i32(params.length) - 1i));
  y[i] = x[(outer * params.length + position) * params.inner + i - rest * params.inner];
}
