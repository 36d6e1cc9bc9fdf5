// dx[o, v, i] = sum of dy[o, j, i] over the j with index[o, j, i] = v: the gradient of gather.
//
// One element of dx per invocation walks the positions of its column in order, so no atomics are needed and the result
// is always the same; meant for few positions per column.
// bindings: 0 index (read), 1 dy (read), 2 dx (write)
// params: count, length, selected, inner

@group(0) @binding(0) var<storage, read> index: array<i32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flatIndex(global, groups);
  if (i >= params.count) {
    return;
  }
  let rest = i / params.inner;
  let outer = rest / params.length;
  let own = i32(rest - outer * params.length);
  var place = outer * params.selected * params.inner + i % params.inner;
  var total = 0.0;
  for (var j = 0u; j < params.selected; j++) {
    if (clamp(index[place], 0i, i32(params.length) - 1i) == own) {
      total += dy[place];
    }
    place += params.inner;
  }
  dx[i] = total;
}
