// y = x / max(|x|, eps) along the middle axis of [outer, length, inner].
//
// One vector per row form (lib/rowSerial.wgsl, lib/rowWorkgroup.wgsl); Elements of four floats only where inner is 1.
// bindings: 0 x (read), 1 y (write)
// params: outer, length (in Elements), inner, eps

@group(0) @binding(0) var<storage, read> x: array<Element>;
@group(0) @binding(1) var<storage, read_write> y: array<Element>;

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
  let first = (row / params.inner) * params.length * params.inner + row % params.inner;
  var squares = Element(0.0);
  for (var i = lane; i < params.length; i += LANES) {
    let v = x[first + i * params.inner];
    squares += v * v;
  }
  let norm = max(sqrt(rowSum(elementSum(squares), lane)), params.eps);
  for (var i = lane; i < params.length; i += LANES) {
    y[first + i * params.inner] = x[first + i * params.inner] / norm;
  }
}
