// Position of the maximum along the middle axis of [outer, length, inner], the first one at ties.
//
// Algorithm: each lane keeps the first maximum of its share of the row; the row's maximum and then the smallest
// position that holds it are combined over the lanes (lib/row*.wgsl).
// bindings: 0 x (read), 1 y (write)
// params: outer, length, inner

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(global_invocation_id) global: vec3<u32>,
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let row = rowIndex(global, group, groups);
  let lane = laneIndex(local);
  if (row >= params.outer * params.inner) {
    return;
  }
  let first = (row / params.inner) * params.length * params.inner + row % params.inner;
  // Lanes beyond the end of the row start from the first element, which never hides an earlier one.
  var position = select(0u, lane, lane < params.length);
  var largest = x[first + position * params.inner];
  for (var i = lane + LANES; i < params.length; i += LANES) {
    let value = x[first + i * params.inner];
    if (value > largest) {
      largest = value;
      position = i;
    }
  }
  let best = rowMax(largest, lane);
  position = rowMinIndex(select(params.length - 1u, position, largest == best), lane);
  if (lane == 0u) {
    y[row] = position;
  }
}
