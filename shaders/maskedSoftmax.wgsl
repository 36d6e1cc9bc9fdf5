// Softmax of scaled attention scores over the keys; masked keys get the weight 0, rows without keys are zero.
//
// One row of `length` scores per invocation (lib/rowSerial.wgsl) or workgroup (lib/rowWorkgroup.wgsl); its exponentials
// wait in y for their sum.
// bindings: 0 x [rows, length], 1 mask i32 [batch, length] (read), 2 y [rows, length] (write)
// params: rows, length, rowsPerMask, scale, masked

const LOWEST: f32 = -1e30;

@group(0) @binding(0) var<storage, read> x: array<Scalar0>;
@group(0) @binding(1) var<storage, read> mask: array<i32>;
@group(0) @binding(2) var<storage, read_write> y: array<Scalar2>;

fn counts(row: u32, i: u32) -> bool {
  if (params.masked == 0u) {
    return true;
  }
  return mask[(row / params.rowsPerMask) * params.length + i] != 0;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(global_invocation_id) global: vec3<u32>,
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let row = rowIndex(global, group, groups);
  let lane = laneIndex(local);
  if (row >= params.rows) {
    return;
  }
  let first = row * params.length;
  var largest = LOWEST;
  for (var i = lane; i < params.length; i += LANES) {
    largest = max(largest, select(LOWEST, f32(x[first + i]) * params.scale, counts(row, i)));
  }
  largest = rowMax(largest, lane);
  var sum = 0.0;
  for (var i = lane; i < params.length; i += LANES) {
    let e = select(0.0, exp(min(f32(x[first + i]) * params.scale - largest, 0.0)), counts(row, i));
    y[first + i] = Scalar2(e);
    sum += e;
  }
  sum = rowSum(sum, lane);
  let inverse = select(1.0 / max(sum, 1e-30), 0.0, sum == 0.0);
  for (var i = lane; i < params.length; i += LANES) {
    y[first + i] = Scalar2(f32(y[first + i]) * inverse);
  }
}
