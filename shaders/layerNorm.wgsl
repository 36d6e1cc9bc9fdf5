// Layer norm over the last axis: y = (x - mean) * rstd * weight + bias, and the statistics of each row.
//
// Algorithm: one row per row form (lib/rowSerial.wgsl, lib/rowWorkgroup.wgsl), in two passes: mean, then squared
// deviations. The mean is summed from the row's first element, so that a large common offset costs no digits.
// bindings: 0 x [rows, width], 1 weight, 2 bias [width] (read), 3 y, 4 mean, 5 rstd [rows] (write)
// params: rows, columns (Elements per row), eps

@group(0) @binding(0) var<storage, read> x: array<Stored0>;
@group(0) @binding(1) var<storage, read> weight: array<Element>;
@group(0) @binding(2) var<storage, read> bias: array<Element>;
@group(0) @binding(3) var<storage, read_write> y: array<Stored3>;
@group(0) @binding(4) var<storage, read_write> meanOf: array<f32>;
@group(0) @binding(5) var<storage, read_write> rstdOf: array<f32>;

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
  let pivot = elementSum(Element(x[first])) / elementSum(Element(1.0));
  var total = Element(0.0);
  for (var i = lane; i < params.columns; i += LANES) {
    total += Element(x[first + i]) - pivot;
  }
  let mean = pivot + rowSum(elementSum(total), lane) / width;
  var squares = Element(0.0);
  for (var i = lane; i < params.columns; i += LANES) {
    let d = Element(x[first + i]) - mean;
    squares += d * d;
  }
  let rstd = inverseSqrt(rowSum(elementSum(squares), lane) / width + params.eps);
  for (var i = lane; i < params.columns; i += LANES) {
    y[first + i] = Stored3((Element(x[first + i]) - mean) * rstd * weight[i] + bias[i]);
  }
  if (lane == 0u) {
    meanOf[row] = mean;
    rstdOf[row] = rstd;
  }
}
