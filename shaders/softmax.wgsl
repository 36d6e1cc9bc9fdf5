// Softmax and log-softmax of rows: exp(x - max) / sum, or x - max - log(sum).
//
// Algorithm: three passes over a row (lib/softmaxRows.wgsl): maximum, sum of exponentials, results. Softmax keeps its
// exponentials in y between the passes; log-softmax hands -inf through.
// bindings: 0 x (read), 1 y (write)
// params: rows, length, stride

@group(0) @binding(0) var<storage, read> x: array<ElementBits>;
@group(0) @binding(1) var<storage, read_write> y: array<ElementBits>;

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
  let stride = params.stride;
  let first = (row / stride) * params.length * stride + row % stride;

  var largest = finite(x[first]);
  for (var i = lane; i < params.length; i += LANES) {
    largest = max(largest, finite(x[first + i * stride]));
  }
  largest = maxOfRow(largest, lane);

  var sum = Element(0.0);
  for (var block = 0u; block < params.length; block += BLOCK * LANES) {
    var partial = Element(0.0);
    let end = min(params.length, block + BLOCK * LANES);
    for (var i = block + lane; i < end; i += LANES) {
      let place = first + i * stride;
      let e = exp(finite(x[place]) - largest);
      if (OP == SOFTMAX) {
        y[place] = bitcast<ElementBits>(e);
      }
      partial += e;
    }
    sum += partial;
  }
  sum = sumOfRow(sum, lane);

  if (OP == SOFTMAX) {
    let factor = 1.0 / sum;
    for (var i = lane; i < params.length; i += LANES) {
      let place = first + i * stride;
      y[place] = bitcast<ElementBits>(bitcast<Element>(y[place]) * factor);
    }
  } else {
    let logSum = log(sum);
    for (var i = lane; i < params.length; i += LANES) {
      let place = first + i * stride;
      let bits = x[place];
      let result = bitcast<ElementBits>((finite(bits) - largest) - logSum);
      y[place] = select(result, bits, bits == ElementBits(NEGATIVE_INFINITY));
    }
  }
}
