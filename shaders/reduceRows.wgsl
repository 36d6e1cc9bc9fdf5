// Reduces the middle axis of [outer, length, inner]: sum, mean, max or log-sum-exp.
//
// Algorithm: one row of `length` elements (stride `inner`) per invocation (lib/rowSerial.wgsl) or per workgroup
// (lib/rowWorkgroup.wgsl). Serial sums run in blocks of 64, so that rounding grows with the square root of the blocks.
// bindings: 0 x (read), 1 y (write)
// params: outer, length, inner

const SUM: u32 = 0u;
const MEAN: u32 = 1u;
const MAX: u32 = 2u;
const LOG_SUM_EXP: u32 = 3u;
const BLOCK: u32 = 64u;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

fn rowMaximum(first: u32, lane: u32) -> f32 {
  var largest = x[first];
  for (var i = lane; i < params.length; i += LANES) {
    largest = max(largest, x[first + i * params.inner]);
  }
  return rowMax(largest, lane);
}

fn term(value: f32, shift: f32) -> f32 {
  if (OP == LOG_SUM_EXP) {
    return exp(value - shift);
  }
  return value;
}

fn rowTotal(first: u32, lane: u32, shift: f32) -> f32 {
  var total = 0.0;
  for (var block = 0u; block < params.length; block += BLOCK * LANES) {
    var partial = 0.0;
    let end = min(params.length, block + BLOCK * LANES);
    for (var i = block + lane; i < end; i += LANES) {
      partial += term(x[first + i * params.inner], shift);
    }
    total += partial;
  }
  return rowSum(total, lane);
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
  if (row >= params.outer * params.inner) {
    return;
  }
  let first = (row / params.inner) * params.length * params.inner + row % params.inner;
  var value = 0.0;
  if (OP == MAX) {
    value = rowMaximum(first, lane);
  } else if (OP == LOG_SUM_EXP) {
    let shift = rowMaximum(first, lane);
    value = shift + log(rowTotal(first, lane, shift));
  } else {
    value = rowTotal(first, lane, 0.0);
    if (OP == MEAN) {
      value = value / f32(params.length);
    }
  }
  if (lane == 0u) {
    y[row] = value;
  }
}
