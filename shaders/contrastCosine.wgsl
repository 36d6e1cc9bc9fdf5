// Cosine of each sentence with what it attends to in each image: r = c . T / max(|c| |T|, eps) with c = sum a V.
//
// c . T = sum a s needs no c. GRAM: |c|^2 = a^T G a from u = G a; otherwise from u = c itself.
// One (image, sentence) row per invocation (lib/rowSerial.wgsl) or workgroup (lib/rowWorkgroup.wgsl).
// Layout: a [images, rows, regions], s [rows, images, regions], u [images, rows, width]; normsT, mask [total];
// cosine, norms [images, total].
// bindings: 0 a, 1 s, 2 u, 3 normsT, 4 mask i32 (read), 5 cosine, 6 norms (write)
// params: rows, images, regions, width (of u), rowOffset, total (all sentences), eps

const GRAM: u32 = 1u;

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> s: array<f32>;
@group(0) @binding(2) var<storage, read> u: array<f32>;
@group(0) @binding(3) var<storage, read> normsT: array<f32>;
@group(0) @binding(4) var<storage, read> mask: array<i32>;
@group(0) @binding(5) var<storage, read_write> cosine: array<f32>;
@group(0) @binding(6) var<storage, read_write> norms: array<f32>;

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
  let source = (sentence * params.images + image) * params.regions;
  var product = 0.0;
  var square = 0.0;
  for (var m = lane; m < params.regions; m += LANES) {
    let weight = a[row * params.regions + m];
    product += weight * s[source + m];
    if (OP == GRAM) {
      square += weight * u[row * params.regions + m];
    }
  }
  if (OP != GRAM) {
    for (var d = lane; d < params.width; d += LANES) {
      square += u[row * params.width + d] * u[row * params.width + d];
    }
  }
  product = rowSum(product, lane);
  square = max(rowSum(square, lane), 0.0);
  if (lane == 0u) {
    let norm = select(sqrt(square), 0.0, square == 0.0);
    let place = image * params.total + params.rowOffset + sentence;
    let value = product / max(norm * normsT[params.rowOffset + sentence], params.eps);
    cosine[place] = select(0.0, value, mask[params.rowOffset + sentence] != 0);
    norms[place] = norm;
  }
}
