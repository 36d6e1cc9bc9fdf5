// dx = g - x * along / |x|^2: takes the part of a gradient along x out, which a cosine does not depend on.
//
// MEASURED: along = x . g, the gradient of a function of the direction alone. GIVEN: along comes from a binding, the
// sum of gradient times cosine over all cosines that x takes part in. Rows of norm up to `least` keep g.
// One row per invocation (lib/rowSerial.wgsl) or workgroup (lib/rowWorkgroup.wgsl).
// bindings: 0 g, 1 x [rows, width], 2 norms [rows], 3 along [rows] (read; any array if MEASURED), 4 dx (write)
// params: rows, width, least

const MEASURED: u32 = 0u;

@group(0) @binding(0) var<storage, read> g: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> norms: array<f32>;
@group(0) @binding(3) var<storage, read> along: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx: array<f32>;

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
  let first = row * params.width;
  let norm = norms[row];
  let inverse = select(1.0 / max(norm, 1e-30), 0.0, norm <= params.least);
  var part = 0.0;
  if (OP == MEASURED) {
    for (var c = lane; c < params.width; c += LANES) {
      part += x[first + c] * inverse * g[first + c];
    }
    part = rowSum(part, lane);
  } else {
    part = along[row] * inverse;
  }
  for (var c = lane; c < params.width; c += LANES) {
    dx[first + c] = g[first + c] - x[first + c] * inverse * part;
  }
}
