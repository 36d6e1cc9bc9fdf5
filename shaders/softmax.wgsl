// Softmax and log-softmax along the middle axis of [outer, length, inner].
//
// Algorithm: per row (stride `inner`) the maximum, the sum of exp(x - max), then the results; three passes, rows form
// from lib/row*.wgsl. Shaders may assume that no infinities occur, so -inf is recognised by its bits: it counts as
// -1e30, and log-softmax hands it through.
// bindings: 0 x (read), 1 y (write)
// params: outer, length, inner

const SOFTMAX: u32 = 0u;
const LOG_SOFTMAX: u32 = 1u;
const NEGATIVE_INFINITY: u32 = 0xff800000u;
const BLOCK: u32 = 64u;

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;

fn load(i: u32) -> f32 {
  let bits = x[i];
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

  var largest = load(first);
  for (var i = lane; i < params.length; i += LANES) {
    largest = max(largest, load(first + i * stride));
  }
  largest = rowMax(largest, lane);

  var sum = 0.0;
  for (var block = 0u; block < params.length; block += BLOCK * LANES) {
    var partial = 0.0;
    let end = min(params.length, block + BLOCK * LANES);
    for (var i = block + lane; i < end; i += LANES) {
      let e = exp(load(first + i * stride) - largest);
      if (OP == SOFTMAX) {
        y[first + i * stride] = bitcast<u32>(e);
      }
      partial += e;
    }
    sum += partial;
  }
  sum = rowSum(sum, lane);

  if (OP == SOFTMAX) {
    let factor = 1.0 / sum;
    for (var i = lane; i < params.length; i += LANES) {
      let place = first + i * stride;
      y[place] = bitcast<u32>(bitcast<f32>(y[place]) * factor);
    }
  } else {
    let logSum = log(sum);
    for (var i = lane; i < params.length; i += LANES) {
      let place = first + i * stride;
      let result = (load(place) - largest) - logSum;
      y[place] = select(bitcast<u32>(result), NEGATIVE_INFINITY, x[place] == NEGATIVE_INFINITY);
    }
  }
}
