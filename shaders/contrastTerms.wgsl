// Gradient of equation 5 and the factors that the gradients of attention and features share, per image and sentence.
//
// q = dL/dr = dz * softmax over the report's real sentences of (r / tau3), plus a gradient of r itself.
// terms = (q / max(|c| |T|, eps), q r / |c|^2 or 0 where clamped, 1 / max(|T|, eps), 0); along = q r (0 where clamped).
// One invocation per (image, sentence); padded sentences get zeros.
// bindings: 0 cosine, 1 norms (|c|) [images, reports, sentences], 2 normsT, 3 mask i32 [reports, sentences],
//   4 dz [images, reports], 5 upstream (read; as cosine), 6 terms of vec4, 7 along (write; as cosine)
// params: images, reports, sentences, tau3, eps, upstreamScale (0 where there is none)

const LOWEST: f32 = -1e30;

@group(0) @binding(0) var<storage, read> cosine: array<f32>;
@group(0) @binding(1) var<storage, read> norms: array<f32>;
@group(0) @binding(2) var<storage, read> normsT: array<f32>;
@group(0) @binding(3) var<storage, read> mask: array<i32>;
@group(0) @binding(4) var<storage, read> dz: array<f32>;
@group(0) @binding(5) var<storage, read> upstream: array<f32>;
@group(0) @binding(6) var<storage, read_write> terms: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> along: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let index = flatIndex(global, groups);
  if (index >= params.images * params.reports * params.sentences) {
    return;
  }
  let pair = index / params.sentences;
  let report = pair % params.reports;
  let sentence = report * params.sentences + index % params.sentences;
  if (mask[sentence] == 0) {
    terms[index] = vec4<f32>(0.0);
    along[index] = 0.0;
    return;
  }
  var largest = LOWEST;
  for (var p = 0u; p < params.sentences; p++) {
    let real = mask[report * params.sentences + p] != 0;
    largest = max(largest, select(LOWEST, cosine[pair * params.sentences + p], real));
  }
  var sum = 0.0;
  for (var p = 0u; p < params.sentences; p++) {
    let weight = exp(min(cosine[pair * params.sentences + p] - largest, 0.0) / params.tau3);
    sum += select(0.0, weight, mask[report * params.sentences + p] != 0);
  }
  let r = cosine[index];
  var q = dz[pair] * exp(min(r - largest, 0.0) / params.tau3) / sum;
  if (params.upstreamScale != 0.0) {
    q += upstream[index] * params.upstreamScale;
  }
  let norm = norms[index];
  let product = norm * normsT[sentence];
  var alongC = 0.0;
  var alongT = 0.0;
  if (product > params.eps) {
    alongT = q * r;
    alongC = alongT / norm / norm;
  }
  terms[index] = vec4<f32>(q / max(product, params.eps), alongC, 1.0 / max(normsT[sentence], params.eps), 0.0);
  along[index] = alongT;
}
