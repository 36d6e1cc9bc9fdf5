// y = f(a, b) for two dense arrays of the same shape.
//
// bindings: 0 a (read), 1 b (read), 2 y (write)
// params: count (in Elements)

@group(0) @binding(0) var<storage, read> a: array<Stored0>;
@group(0) @binding(1) var<storage, read> b: array<Stored1>;
@group(0) @binding(2) var<storage, read_write> y: array<Stored2>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flatIndex(global, groups);
  if (i < params.count) {
    y[i] = Stored2(apply(Element(a[i]), Element(b[i])));
  }
}
