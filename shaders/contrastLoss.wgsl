// Cross entropy of each line (row or column) of a similarity matrix against its diagonal, and what its gradient needs.
//
// loss = logsumexp_k(l_k) - l_own with l = similarity / tau. The own logit is kept apart from the others: where it is the
// largest the loss is log1p(sum of the others), exact for small losses and exactly 0 for a line of one; and the gradient
// of the own logit is - others / total, without the cancellation of softmax - 1.
// KEYS, PAIRS: entries of reports that equal the own one are left out, for they are no negatives: those with the same
// key, or those that are marked in a matrix.
// One line per invocation (lib/rowSerial.wgsl) or workgroup (lib/rowWorkgroup.wgsl).
// bindings: 0 similarity [size, size], 1 equal i32 [size] or [size, size] (read), 2 losses [size],
//   3 stats [size] of (shift, others, total, 0) (write)
// params: size, strideLine, strideEntry, tau

const KEYS: u32 = 1u;
const PAIRS: u32 = 2u;
const LOWEST: f32 = -1e30;

@group(0) @binding(0) var<storage, read> similarity: array<f32>;
@group(0) @binding(1) var<storage, read> equal: array<i32>;
@group(0) @binding(2) var<storage, read_write> losses: array<f32>;
@group(0) @binding(3) var<storage, read_write> stats: array<vec4<f32>>;

fn isNegative(line: u32, k: u32) -> bool {
  if (OP == KEYS) {
    return equal[line] != equal[k];
  }
  if (OP == PAIRS) {
    return line != k && equal[line * params.strideLine + k * params.strideEntry] == 0;
  }
  return line != k;
}

// log(1 + x) for x >= 0; hardware logarithms are only exact to 5e-7 near 1.
fn log1p(x: f32) -> f32 {
  if (x > 0.5) {
    return log(1.0 + x);
  }
  let y = x / (2.0 + x);
  let y2 = y * y;
  return 2.0 * y * (1.0 + y2 * (1.0 / 3.0 + y2 * (1.0 / 5.0 + y2 * (1.0 / 7.0 + y2 * (1.0 / 9.0)))));
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(global_invocation_id) global: vec3<u32>,
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let line = rowIndex(global, group, groups);
  let lane = laneIndex(local);
  if (line >= params.size) {
    return;
  }
  let first = line * params.strideLine;
  let own = similarity[first + line * params.strideEntry] / params.tau;
  var largest = LOWEST;
  for (var k = lane; k < params.size; k += LANES) {
    largest = max(largest, select(LOWEST, similarity[first + k * params.strideEntry] / params.tau, isNegative(line, k)));
  }
  let shift = max(own, rowMax(largest, lane));
  var others = 0.0;
  for (var k = lane; k < params.size; k += LANES) {
    let logit = similarity[first + k * params.strideEntry] / params.tau;
    others += select(0.0, exp(min(logit - shift, 0.0)), isNegative(line, k));
  }
  others = rowSum(others, lane);
  if (lane == 0u) {
    var total = 1.0 + others;
    var loss = log1p(others);
    if (own < shift) {
      total = exp(own - shift) + others;
      loss = (shift - own) + log(total);
    }
    losses[line] = loss;
    stats[line] = vec4<f32>(shift, others, total, 0.0);
  }
}
