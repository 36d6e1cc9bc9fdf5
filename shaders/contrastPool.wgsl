// Similarity of an image and a report from the cosines of the report's sentences (equation 5):
// z = tau3 * logsumexp over real sentences of (r / tau3); MEAN: minus tau3 * log(number of sentences).
//
// One invocation per (image, report); a report without sentences gets 0.
// bindings: 0 cosine [images, reports, sentences], 1 mask i32 [reports, sentences] (read), 2 z [images, reports] (write)
// params: images, reports, sentences, tau3

const MEAN: u32 = 1u;
const LOWEST: f32 = -1e30;

@group(0) @binding(0) var<storage, read> cosine: array<f32>;
@group(0) @binding(1) var<storage, read> mask: array<i32>;
@group(0) @binding(2) var<storage, read_write> z: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let index = flatIndex(global, groups);
  if (index >= params.images * params.reports) {
    return;
  }
  let first = index * params.sentences;
  let sentence = (index % params.reports) * params.sentences;
  var largest = LOWEST;
  var count = 0.0;
  for (var p = 0u; p < params.sentences; p++) {
    let real = mask[sentence + p] != 0;
    largest = max(largest, select(LOWEST, cosine[first + p], real));
    count += select(0.0, 1.0, real);
  }
  var sum = 0.0;
  for (var p = 0u; p < params.sentences; p++) {
    sum += select(0.0, exp(min(cosine[first + p] - largest, 0.0) / params.tau3), mask[sentence + p] != 0);
  }
  if (count == 0.0) {
    z[index] = 0.0;
    return;
  }
  if (OP == MEAN) {
    sum = sum / count;
  }
  z[index] = largest + params.tau3 * log(sum);
}
