// Gradient of the scores behind the attention over regions, from what the cosine of its result wants.
//
// da = terms.x s - terms.y u with u = G a, the products of c with every region; ds = a (da - sum a da) / tau2.
// One (image, sentence) row per invocation (lib/rowSerial.wgsl) or workgroup (lib/rowWorkgroup.wgsl).
// Layout: a, u [images, rows, regions]; s, ds [rows, images, regions]; terms [images, total] of vec4.
// bindings: 0 a, 1 s, 2 u, 3 terms (read), 4 ds (write)
// params: rows, images, regions, rowOffset, total, tau2

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> s: array<f32>;
@group(0) @binding(2) var<storage, read> u: array<f32>;
@group(0) @binding(3) var<storage, read> terms: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> ds: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(global_invocation_id) global: vec3<u32>,
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let row = rowIndex(global, group, groups);
  let lane = laneIndex(local);
  if (row >= params.rows * params.images) {
    return;
  }
  let image = row / params.rows;
  let sentence = row % params.rows;
  let place = (sentence * params.images + image) * params.regions;
  let first = row * params.regions;
  let term = terms[image * params.total + params.rowOffset + sentence];
  var mean = 0.0;
  for (var m = lane; m < params.regions; m += LANES) {
    mean += a[first + m] * (term.x * s[place + m] - term.y * u[first + m]);
  }
  mean = rowSum(mean, lane);
  for (var m = lane; m < params.regions; m += LANES) {
    let da = term.x * s[place + m] - term.y * u[first + m];
    ds[place + m] = a[first + m] * (da - mean) / params.tau2;
  }
}
