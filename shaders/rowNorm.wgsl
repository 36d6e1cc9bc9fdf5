// Euclidean norm of each row.
//
// One row per row form (lib/rowSerial.wgsl, lib/rowWorkgroup.wgsl).
// bindings: 0 x [rows, width] (read), 1 y [rows] (write)
// params: rows, columns (Elements per row)

@group(0) @binding(0) var<storage, read> x: array<Element>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

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
  var squares = Element(0.0);
  for (var i = lane; i < params.columns; i += LANES) {
    let v = x[row * params.columns + i];
    squares += v * v;
  }
  let norm = sqrt(rowSum(elementSum(squares), lane));
  if (lane == 0u) {
    y[row] = norm;
  }
}
