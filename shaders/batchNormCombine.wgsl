// Second stage of the batch statistics: joins the chunks of each channel and moves the running statistics.
//
// Algorithm: one channel per row form (lib/rowSerial.wgsl, lib/rowWorkgroup.wgsl). Chan's formula for many sets at once:
// the common mean first, then the deviations inside and between the chunks, always in the same order.
// bindings: 0 partial (read) [2, chunks, channels], 1 mean, 2 rstd, 3 runningMean, 4 runningVar (write) [channels]
// params: rows, channels, chunkRows, chunks, eps, momentum

@group(0) @binding(0) var<storage, read> partials: array<f32>;
@group(0) @binding(1) var<storage, read_write> meanOf: array<f32>;
@group(0) @binding(2) var<storage, read_write> rstdOf: array<f32>;
@group(0) @binding(3) var<storage, read_write> runningMean: array<f32>;
@group(0) @binding(4) var<storage, read_write> runningVar: array<f32>;

fn rowsOf(chunk: u32) -> f32 {
  return f32(min(params.chunkRows, params.rows - chunk * params.chunkRows));
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(global_invocation_id) global: vec3<u32>,
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let channel = rowIndex(global, group, groups);
  let lane = laneIndex(local);
  if (channel >= params.channels) {
    return;
  }
  let pivot = partials[channel];
  var shift = 0.0;
  for (var chunk = lane; chunk < params.chunks; chunk += LANES) {
    shift += rowsOf(chunk) * (partials[chunk * params.channels + channel] - pivot);
  }
  let mean = pivot + rowSum(shift, lane) / f32(params.rows);
  var squares = 0.0;
  for (var chunk = lane; chunk < params.chunks; chunk += LANES) {
    let delta = partials[chunk * params.channels + channel] - mean;
    let inside = partials[(params.chunks + chunk) * params.channels + channel];
    squares += inside + rowsOf(chunk) * delta * delta;
  }
  let total = rowSum(squares, lane);
  if (lane == 0u) {
    meanOf[channel] = mean;
    rstdOf[channel] = inverseSqrt(total / f32(params.rows) + params.eps);
    let unbiased = total / f32(params.rows - 1u);
    runningMean[channel] = (1.0 - params.momentum) * runningMean[channel] + params.momentum * mean;
    runningVar[channel] = (1.0 - params.momentum) * runningVar[channel] + params.momentum * unbiased;
  }
}
