// Input gradient of layer norm.
//
// With g = dy * weight and xhat = (x - mean) * rstd: dx = rstd * (g - mean(g) - xhat * mean(g * xhat)), the means over
// the row. One row per row form (lib/rowSerial.wgsl, lib/rowWorkgroup.wgsl).
// bindings: 0 x, 1 dy [rows, width], 2 mean, 3 rstd [rows], 4 weight [width] (read), 5 dx (write)
// params: rows, columns (Elements per row)

@group(0) @binding(0) var<storage, read> x: array<Stored0>;
@group(0) @binding(1) var<storage, read> dy: array<Stored1>;
@group(0) @binding(2) var<storage, read> meanOf: array<f32>;
@group(0) @binding(3) var<storage, read> rstdOf: array<f32>;
@group(0) @binding(4) var<storage, read> weight: array<Element>;
@group(0) @binding(5) var<storage, read_write> dx: array<Stored5>;

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
  let first = row * params.columns;
  let width = elementSum(Element(1.0)) * f32(params.columns);
  let mean = meanOf[row];
  let rstd = rstdOf[row];
  var plain = Element(0.0);
  var weighted = Element(0.0);
  for (var i = lane; i < params.columns; i += LANES) {
    let g = Element(dy[first + i]) * weight[i];
    plain += g;
    weighted += g * ((Element(x[first + i]) - mean) * rstd);
  }
  let offset = rowSum(elementSum(plain), lane) / width;
  let slope = rowSum(elementSum(weighted), lane) / width;
  for (var i = lane; i < params.columns; i += LANES) {
    let xhat = (Element(x[first + i]) - mean) * rstd;
    dx[first + i] = Stored5(rstd * (Element(dy[first + i]) * weight[i] - offset - xhat * slope));
  }
}
