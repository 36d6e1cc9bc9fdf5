// The same values in another float type, f16 or f32, rounded to nearest.
//
// bindings: 0 x (read), 1 y (write)
// params: count (in Elements)

@group(0) @binding(0) var<storage, read> x: array<Stored0>;
@group(0) @binding(1) var<storage, read_write> y: array<Stored1>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flatIndex(global, groups);
  if (i < params.count) {
    y[i] = Stored1(Element(x[i]));
  }
}
