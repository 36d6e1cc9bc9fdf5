// Scaled dot product attention in one pass: y = softmax(scale * q k^T) v, with masked keys and dropout.
//
// Algorithm: online softmax (Milakov and Gimelshein, arXiv 1805.02867) over groups of four keys; f32 accumulators.
// Nothing of size [length, length] is stored; stats keeps the largest score and 1 / sum of exponentials per query
// (0 where every key is masked, whose result is 0), more exact than their log-sum-exp when scores are large.
// Layout: q, k, v, y [heads, length, D4] of vec4; mask i32 [batch, length], 0 = ignored key; stats [heads, length].
// bindings: 0 q, 1 k, 2 v, 3 mask (read), 4 y, 5 stats (write)

@group(0) @binding(0) var<storage, read> q: array<vec4<Scalar0>>;
@group(0) @binding(1) var<storage, read> k: array<vec4<Scalar1>>;
@group(0) @binding(2) var<storage, read> v: array<vec4<Scalar2>>;
@group(0) @binding(3) var<storage, read> mask: array<i32>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<Scalar4>>;
@group(0) @binding(5) var<storage, read_write> stats: array<vec2<f32>>;

fn readA(index: u32) -> vec4<f32> { return vec4<f32>(k[index]); }
fn readB(index: u32) -> vec4<f32> { return vec4<f32>(v[index]); }

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let head = headIndex(group, groups);
  if (head >= params.heads) {
    return;
  }
  let lane = local % LANES;
  let row = group.x * ROWS + local / LANES;
  let query = min(row, params.length - 1u);
  let start = head * params.length * D4;

  var ownQuery: array<vec4<f32>, COLUMNS>;
  var total: array<vec4<f32>, COLUMNS>;
  for (var c = 0u; c < COLUMNS; c++) {
    ownQuery[c] = vec4<f32>(q[start + query * D4 + lane + c * LANES]) * params.scale;
    total[c] = vec4<f32>(0.0);
  }
  var largest = LOWEST;
  var sum = 0.0;
  for (var tile = 0u; tile < params.length; tile += TILE) {
    let count = min(TILE, params.length - tile);
    stage(start + tile * D4, count, local);
    for (var j = 0u; j < count; j += 4u) {
      let rows = tileRows(j, count);
      var score = vec4<f32>(0.0);
      for (var c = 0u; c < COLUMNS; c++) {
        let column = lane + c * LANES;
        score += vec4<f32>(
          dot(ownQuery[c], stagedA(rows.x, column)),
          dot(ownQuery[c], stagedA(rows.y, column)),
          dot(ownQuery[c], stagedA(rows.z, column)),
          dot(ownQuery[c], stagedA(rows.w, column)),
        );
      }
      score = laneTotal(score);
      let counts = keysCount(head, tile + j);
      let seen = select(vec4<f32>(LOWEST), score, counts);
      let newLargest = max(largest, max(max(seen.x, seen.y), max(seen.z, seen.w)));
      let correction = exp(largest - newLargest);
      let weight = select(vec4<f32>(0.0), exp(seen - newLargest), counts);
      sum = sum * correction + (weight.x + weight.y) + (weight.z + weight.w);
      largest = newLargest;
      let kept = weight * dropoutOfKeys(head, query, tile + j);
      for (var c = 0u; c < COLUMNS; c++) {
        let column = lane + c * LANES;
        total[c] = total[c] * correction + kept.x * stagedB(rows.x, column) + kept.y * stagedB(rows.y, column)
          + kept.z * stagedB(rows.z, column) + kept.w * stagedB(rows.w, column);
      }
    }
  }
  if (row >= params.length) {
    return;
  }
  let inverse = select(1.0 / max(sum, 1e-30), 0.0, sum == 0.0);
  for (var c = 0u; c < COLUMNS; c++) {
    y[start + query * D4 + lane + c * LANES] = vec4<Scalar4>(total[c] * inverse);
  }
  if (lane == 0u) {
    stats[head * params.length + query] = vec2<f32>(largest, inverse);
  }
}
