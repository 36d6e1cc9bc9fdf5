// Gradients of softmax and log-softmax of rows, from their results y:
// softmax dx = y (dy - sum(y dy)), log-softmax dx = dy - exp(y) sum(dy).
//
// Algorithm: one pass over a row (lib/softmaxRows.wgsl) for the sum, one for the results.
// bindings: 0 y (read), 1 dy (read), 2 dx (write)
// params: rows, length, stride

@group(0) @binding(0) var<storage, read> y: array<ElementBits>;
@group(0) @binding(1) var<storage, read> dy: array<Element>;
@group(0) @binding(2) var<storage, read_write> dx: array<Element>;

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

  var sum = Element(0.0);
  for (var block = 0u; block < params.length; block += BLOCK * LANES) {
    var partial = Element(0.0);
    let end = min(params.length, block + BLOCK * LANES);
    for (var i = block + lane; i < end; i += LANES) {
      let place = first + i * stride;
      if (OP == SOFTMAX) {
        partial += finite(y[place]) * dy[place];
      } else {
        partial += dy[place];
      }
    }
    sum += partial;
  }
  sum = sumOfRow(sum, lane);

  for (var i = lane; i < params.length; i += LANES) {
    let place = first + i * stride;
    if (OP == SOFTMAX) {
      dx[place] = finite(y[place]) * (dy[place] - sum);
    } else {
      dx[place] = dy[place] - exp(finite(y[place])) * sum;
    }
  }
}
