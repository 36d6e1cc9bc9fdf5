// Cross entropy of each row of logits [rows, classes] with its label: log(sum(exp(x))) - x[label].
//
// Algorithm: one row per invocation or workgroup (lib/row*.wgsl): maximum, then the sum of exponentials. Both are
// stored for the gradient, which then needs no further pass over a row. Labels outside are clamped.
// bindings: 0 logits (read), 1 labels (read), 2 loss (write), 3 stats (write) [rows, maximum and sum]
// params: rows, classes

const BLOCK: u32 = 64u;

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<i32>;
@group(0) @binding(2) var<storage, read_write> loss: array<f32>;
@group(0) @binding(3) var<storage, read_write> stats: array<vec2<f32>>;

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
  let first = row * params.classes;
  var largest = logits[first];
  for (var i = lane; i < params.classes; i += LANES) {
    largest = max(largest, logits[first + i]);
  }
  largest = rowMax(largest, lane);

  var sum = 0.0;
  for (var block = 0u; block < params.classes; block += BLOCK * LANES) {
    var partial = 0.0;
    let end = min(params.classes, block + BLOCK * LANES);
    for (var i = block + lane; i < end; i += LANES) {
      partial += exp(logits[first + i] - largest);
    }
    sum += partial;
  }
  sum = rowSum(sum, lane);

  if (lane == 0u) {
    let label = u32(clamp(labels[row], 0i, i32(params.classes) - 1i));
    loss[row] = (largest - logits[first + label]) + log(sum);
    stats[row] = vec2<f32>(largest, sum);
  }
}
