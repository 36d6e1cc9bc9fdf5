// y = x in rows whose mask is not 0, else 0: whatever padding holds never reaches a product.
//
// bindings: 0 x [rows, width], 1 mask i32 [rows] (read), 2 y (write)
// params: count, width

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> mask: array<i32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flatIndex(global, groups);
  if (i < params.count) {
    y[i] = select(0.0, x[i], mask[i / params.width] != 0);
  }
}
