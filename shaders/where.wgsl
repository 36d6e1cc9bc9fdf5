// y = condition != 0 ? a : b with NumPy broadcasting over up to three merged axes; y is dense. Any dtype, bit by bit.
//
// bindings: 0 condition (read), 1 a (read), 2 b (read), 3 y (write)
// params: count, size1, size2 (inner sizes of y), c0..c2, a0..a2, b0..b2 (strides; 0 repeats), startC, startA, startB

@group(0) @binding(0) var<storage, read> condition: array<u32>;
@group(0) @binding(1) var<storage, read> a: array<u32>;
@group(0) @binding(2) var<storage, read> b: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flatIndex(global, groups);
  if (i >= params.count) {
    return;
  }
  let i2 = i % params.size2;
  let rest = i / params.size2;
  let i1 = rest % params.size1;
  let i0 = rest / params.size1;
  if (condition[params.startC + i0 * params.c0 + i1 * params.c1 + i2 * params.c2] != 0u) {
    y[i] = a[params.startA + i0 * params.a0 + i1 * params.a1 + i2 * params.a2];
  } else {
    y[i] = b[params.startB + i0 * params.b0 + i1 * params.b1 + i2 * params.b2];
  }
}
