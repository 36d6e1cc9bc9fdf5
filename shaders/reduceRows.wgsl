// Reduces the rows of [rows, length] in chunks: sum, mean, max or log-sum-exp. y is [rows, chunks].
//
// Algorithm: one chunk of a row per invocation (lib/rowSerial.wgsl) or per workgroup (lib/rowWorkgroup.wgsl). Sums run
// in blocks of 64, so that rounding grows with the square root of the blocks.
// bindings: 0 x (read), 1 y (write)
// params: rows, length, chunks, chunkLength, divisor (of the mean)

const SUM: u32 = 0u;
const MEAN: u32 = 1u;
const MAX: u32 = 2u;
const LOG_SUM_EXP: u32 = 3u;
const BLOCK: u32 = 64u;

@group(0) @binding(0) var<storage, read> x: array<Scalar0>;
@group(0) @binding(1) var<storage, read_write> y: array<Scalar1>;

fn maximum(begin: u32, end: u32, lane: u32) -> f32 {
  var largest = f32(x[begin]);
  for (var i = begin + lane; i < end; i += LANES) {
    largest = max(largest, f32(x[i]));
  }
  return rowMax(largest, lane);
}

fn total(begin: u32, end: u32, lane: u32, shift: f32) -> f32 {
  var sum = 0.0;
  for (var block = begin; block < end; block += BLOCK * LANES) {
    var partial = 0.0;
    let blockEnd = min(end, block + BLOCK * LANES);
    for (var i = block + lane; i < blockEnd; i += LANES) {
      if (OP == LOG_SUM_EXP) {
        partial += exp(f32(x[i]) - shift);
      } else {
        partial += f32(x[i]);
      }
    }
    sum += partial;
  }
  return rowSum(sum, lane);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(global_invocation_id) global: vec3<u32>,
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let item = rowIndex(global, group, groups);
  let lane = laneIndex(local);
  if (item >= params.rows * params.chunks) {
    return;
  }
  let row = item / params.chunks;
  let first = (item - row * params.chunks) * params.chunkLength;
  let begin = row * params.length + first;
  let end = row * params.length + min(params.length, first + params.chunkLength);
  var value = 0.0;
  if (OP == MAX) {
    value = maximum(begin, end, lane);
  } else if (OP == LOG_SUM_EXP) {
    // The bound keeps the difference meaningful in a row of nothing but -inf.
    let shift = max(maximum(begin, end, lane), -3e38);
    value = shift + log(total(begin, end, lane, shift));
  } else {
    value = total(begin, end, lane, 0.0);
    if (OP == MEAN) {
      value = value / params.divisor;
    }
  }
  if (lane == 0u) {
    y[item] = Scalar1(value);
  }
}
