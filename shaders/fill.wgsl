// Sets every element of a dense array to one value, given as its 32 bits.
//
// bindings: 0 y (write)
// params: count (in Elements), bits

@group(0) @binding(0) var<storage, read_write> y: array<ElementBits>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flatIndex(global, groups);
  if (i < params.count) {
    y[i] = ElementBits(params.bits);
  }
}
