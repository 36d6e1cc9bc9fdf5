// Stable sort of positions by their index: keys[r] is the r-th smallest index, order[r] the position it came from.
//
// Each invocation counts how many indices come before its own (smaller, or equal and earlier) and writes itself there.
// n^2 comparisons without barriers or atomics: 16,384 token positions take less time than one layer of the model.
// bindings: 0 index (read), 1 keys (write), 2 order (write)
// params: count, length (indices are clamped to [0, length))

@group(0) @binding(0) var<storage, read> index: array<i32>;
@group(0) @binding(1) var<storage, read_write> keys: array<i32>;
@group(0) @binding(2) var<storage, read_write> order: array<u32>;

fn key(position: u32) -> i32 {
  return clamp(index[position], 0i, i32(params.length) - 1i);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flatIndex(global, groups);
  if (i >= params.count) {
    return;
  }
  let own = key(i);
  var rank = 0u;
  for (var j = 0u; j < i; j++) {
    rank += select(0u, 1u, key(j) <= own);
  }
  for (var j = i + 1u; j < params.count; j++) {
    rank += select(0u, 1u, key(j) < own);
  }
  keys[rank] = own;
  order[rank] = i;
}
