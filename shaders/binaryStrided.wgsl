// y = f(a, b) with NumPy broadcasting over up to four merged axes; y is dense.
//
// One Element of y per invocation. RANK is the number of axes: unused ones cost no division. How an operand is read
// (four elements in a row, or one for all four) is in lib/operands*.wgsl.
// bindings: 0 a (read), 1 b (read), 2 y (write)
// params: count, size1..size3 (inner sizes of y), a0..a3, b0..b3 (strides; 0 repeats), startA, startB; in units of
//         what each of y, a and b is bound as

@group(0) @binding(2) var<storage, read_write> y: array<Stored2>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flatIndex(global, groups);
  if (i >= params.count) {
    return;
  }
  var rest = i;
  var fromA = params.startA;
  var fromB = params.startB;
  if (RANK > 3u) {
    let outer = rest / params.size3;
    let c = rest - outer * params.size3;
    fromA += c * params.a3;
    fromB += c * params.b3;
    rest = outer;
  }
  if (RANK > 2u) {
    let outer = rest / params.size2;
    let c = rest - outer * params.size2;
    fromA += c * params.a2;
    fromB += c * params.b2;
    rest = outer;
  }
  if (RANK > 1u) {
    let outer = rest / params.size1;
    let c = rest - outer * params.size1;
    fromA += c * params.a1;
    fromB += c * params.b1;
    rest = outer;
  }
  y[i] = Stored2(apply(loadA(fromA + rest * params.a0), loadB(fromB + rest * params.b0)));
}
