// GLoRIA's first normalisation: softmax of each region's scores over the real sentences of a report.
//
// One invocation per (report of the tile, image and region); padded sentences get 0.
// Layout: s, x [reports * sentences, columns] with columns = images * regions.
// COSINE: scores are s / (max(|V|, eps) max(|T|, eps)).
// bindings: 0 s, 1 normsV [columns], 2 normsT, 3 mask i32 [all sentences] (read), 4 x (write)
// params: reports, sentences, columns, rowOffset (first sentence of the tile), eps

const COSINE: u32 = 1u;
const LOWEST: f32 = -1e30;

@group(0) @binding(0) var<storage, read> s: array<f32>;
@group(0) @binding(1) var<storage, read> normsV: array<f32>;
@group(0) @binding(2) var<storage, read> normsT: array<f32>;
@group(0) @binding(3) var<storage, read> mask: array<i32>;
@group(0) @binding(4) var<storage, read_write> x: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let index = flatIndex(global, groups);
  if (index >= params.reports * params.columns) {
    return;
  }
  let column = index % params.columns;
  let first = (index / params.columns) * params.sentences;
  let normV = max(normsV[column], params.eps);
  var largest = LOWEST;
  for (var p = 0u; p < params.sentences; p++) {
    let sentence = params.rowOffset + first + p;
    var score = s[(first + p) * params.columns + column];
    if (OP == COSINE) {
      score = score / (normV * max(normsT[sentence], params.eps));
    }
    x[(first + p) * params.columns + column] = score;
    largest = max(largest, select(LOWEST, score, mask[sentence] != 0));
  }
  var sum = 0.0;
  for (var p = 0u; p < params.sentences; p++) {
    let at = (first + p) * params.columns + column;
    let weight = select(0.0, exp(min(x[at] - largest, 0.0)), mask[params.rowOffset + first + p] != 0);
    x[at] = weight;
    sum += weight;
  }
  let inverse = 1.0 / max(sum, 1e-30);
  for (var p = 0u; p < params.sentences; p++) {
    x[(first + p) * params.columns + column] *= inverse;
  }
}
