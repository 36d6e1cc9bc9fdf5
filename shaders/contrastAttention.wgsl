// Attention of a sentence over the regions of an image: a = softmax over regions of scores / tau2 (equation 4).
//
// One (image, sentence) row per invocation (lib/rowSerial.wgsl) or workgroup (lib/rowWorkgroup.wgsl); padded sentences
// get zeros. The result is stored image by image, so that products with the regions of an image are batched products.
// Layout: scores [sentences of the tile, images, regions], a [images, sentences of the tile, regions].
// COSINE: scores are divided by max(|V|, eps) max(|T|, eps) first.
// bindings: 0 scores, 1 normsV [images * regions], 2 normsT, 3 mask i32 [all sentences] (read), 4 a (write)
// params: rows (sentences of the tile), images, regions, rowOffset, tau2, eps

const COSINE: u32 = 1u;
const LOWEST: f32 = -1e30;

@group(0) @binding(0) var<storage, read> scores: array<f32>;
@group(0) @binding(1) var<storage, read> normsV: array<f32>;
@group(0) @binding(2) var<storage, read> normsT: array<f32>;
@group(0) @binding(3) var<storage, read> mask: array<i32>;
@group(0) @binding(4) var<storage, read_write> a: array<f32>;

fn logit(source: u32, region: u32, normT: f32) -> f32 {
  if (OP == COSINE) {
    return scores[source] / (max(normsV[region], params.eps) * normT) / params.tau2;
  }
  return scores[source] / params.tau2;
}

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
  let region = image * params.regions;
  let place = row * params.regions;
  let normT = max(normsT[params.rowOffset + sentence], params.eps);
  let real = select(0.0, 1.0, mask[params.rowOffset + sentence] != 0);
  var largest = LOWEST;
  for (var m = lane; m < params.regions; m += LANES) {
    let value = logit(source + m, region + m, normT);
    a[place + m] = value;
    largest = max(largest, value);
  }
  largest = rowMax(largest, lane);
  var sum = 0.0;
  for (var m = lane; m < params.regions; m += LANES) {
    let weight = exp(min(a[place + m] - largest, 0.0));
    a[place + m] = weight;
    sum += weight;
  }
  let inverse = real / max(rowSum(sum, lane), 1e-30);
  for (var m = lane; m < params.regions; m += LANES) {
    a[place + m] *= inverse;
  }
}
