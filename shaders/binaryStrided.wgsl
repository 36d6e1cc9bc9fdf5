// y = f(a, b) with NumPy broadcasting over up to four merged axes; y is dense.
//
// bindings: 0 a (read), 1 b (read), 2 y (write)
// params: count, size1..size3 (inner sizes of y), a0..a3, b0..b3 (strides; 0 repeats), startA, startB

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flatIndex(global, groups);
  if (i >= params.count) {
    return;
  }
  let c3 = i % params.size3;
  let r3 = i / params.size3;
  let c2 = r3 % params.size2;
  let r2 = r3 / params.size2;
  let c1 = r2 % params.size1;
  let c0 = r2 / params.size1;
  let fromA = params.startA + c0 * params.a0 + c1 * params.a1 + c2 * params.a2 + c3 * params.a3;
  let fromB = params.startB + c0 * params.b0 + c1 * params.b1 + c2 * params.b2 + c3 * params.b3;
  y[i] = apply(a[fromA], b[fromB]);
}
