// Input gradient of the L2 normalisation along the middle axis of [outer, length, inner].
//
// With n = |x| > eps: dx = (dy - x (x . dy) / n^2) / n; at or below eps the divisor is constant and dx = dy / eps.
// One vector per row form (lib/rowSerial.wgsl, lib/rowWorkgroup.wgsl); Elements of four floats only where inner is 1.
// bindings: 0 x, 1 dy (read), 2 dx (write)
// params: outer, length (in Elements), inner, eps

@group(0) @binding(0) var<storage, read> x: array<Element>;
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
  if (row >= params.outer * params.inner) {
    return;
  }
  let first = (row / params.inner) * params.length * params.inner + row % params.inner;
  var squares = Element(0.0);
  var products = Element(0.0);
  for (var i = lane; i < params.length; i += LANES) {
    let v = x[first + i * params.inner];
    squares += v * v;
    products += v * dy[first + i * params.inner];
  }
  let norm = sqrt(rowSum(elementSum(squares), lane));
  let along = rowSum(elementSum(products), lane);
  let divisor = max(norm, params.eps);
  var share = 0.0;
  if (norm > params.eps) {
    share = along / norm / norm;
  }
  for (var i = lane; i < params.length; i += LANES) {
    let at = first + i * params.inner;
    dx[at] = (dy[at] - x[at] * share) / divisor;
  }
}
