// Gradient of maskedSoftmax.wgsl from its result: dx = scale * y (dy - sum y dy). Masked entries have y = 0.
//
// One row per invocation (lib/rowSerial.wgsl) or workgroup (lib/rowWorkgroup.wgsl).
// bindings: 0 y, 1 dy [rows, length] (read), 2 dx [rows, length] (write)
// params: rows, length, scale

@group(0) @binding(0) var<storage, read> y: array<Scalar0>;
@group(0) @binding(1) var<storage, read> dy: array<Scalar1>;
@group(0) @binding(2) var<storage, read_write> dx: array<Scalar2>;

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
  var mean = 0.0;
  for (var i = lane; i < params.length; i += LANES) {
    mean += f32(y[first + i]) * f32(dy[first + i]);
  }
  mean = rowSum(mean, lane);
  for (var i = lane; i < params.length; i += LANES) {
    dx[first + i] = Scalar2(params.scale * f32(y[first + i]) * (f32(dy[first + i]) - mean));
  }
}
