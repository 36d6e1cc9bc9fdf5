// Gradients of softmax and log-softmax along the middle axis of [outer, length, inner], from their results y:
// softmax dx = y (dy - sum(y dy)), log-softmax dx = dy - exp(y) sum(dy).
//
// Algorithm: one pass for the sum of the row, one for the results; rows form from lib/row*.wgsl.
// y is read by its bits, because log-softmax hands -inf through (see softmax.wgsl).
// bindings: 0 y (read), 1 dy (read), 2 dx (write)
// params: outer, length, inner

const SOFTMAX: u32 = 0u;
const LOG_SOFTMAX: u32 = 1u;
const NEGATIVE_INFINITY: u32 = 0xff800000u;
const BLOCK: u32 = 64u;

@group(0) @binding(0) var<storage, read> y: array<u32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;

fn load(i: u32) -> f32 {
  let bits = y[i];
  return bitcast<f32>(select(bits, bitcast<u32>(-1e30), bits == NEGATIVE_INFINITY));
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
  let stride = params.inner;
  let first = (row / stride) * params.length * stride + row % stride;

  var sum = 0.0;
  for (var block = 0u; block < params.length; block += BLOCK * LANES) {
    var partial = 0.0;
    let end = min(params.length, block + BLOCK * LANES);
    for (var i = block + lane; i < end; i += LANES) {
      let place = first + i * stride;
      if (OP == SOFTMAX) {
        partial += load(place) * dy[place];
      } else {
        partial += dy[place];
      }
    }
    sum += partial;
  }
  sum = rowSum(sum, lane);

  for (var i = lane; i < params.length; i += LANES) {
    let place = first + i * stride;
    if (OP == SOFTMAX) {
      dx[place] = load(place) * (dy[place] - sum);
    } else {
      dx[place] = dy[place] - exp(load(place)) * sum;
    }
  }
}
