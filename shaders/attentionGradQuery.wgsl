// Gradient of attention with respect to the queries; probabilities are recomputed from the saved statistics.
//
// p = exp(s - largest) / sum, ds = p (factor * dy . v - delta), dq = scale * sum over keys of ds k.
// Layout as in attention.wgsl; rows [heads, length] of (largest, 1 / sum, delta, 0).
// bindings: 0 q, 1 k, 2 v, 3 mask, 4 dy, 5 rows (read), 6 dq (write)

@group(0) @binding(0) var<storage, read> q: array<vec4<Scalar0>>;
@group(0) @binding(1) var<storage, read> k: array<vec4<Scalar1>>;
@group(0) @binding(2) var<storage, read> v: array<vec4<Scalar2>>;
@group(0) @binding(3) var<storage, read> mask: array<i32>;
@group(0) @binding(4) var<storage, read> dy: array<vec4<Scalar4>>;
@group(0) @binding(5) var<storage, read> rowStats: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> dq: array<vec4<Scalar6>>;

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
  let own = rowStats[head * params.length + query];

  var ownQuery: array<vec4<f32>, COLUMNS>;
  var ownGrad: array<vec4<f32>, COLUMNS>;
  var total: array<vec4<f32>, COLUMNS>;
  for (var c = 0u; c < COLUMNS; c++) {
    let index = start + query * D4 + lane + c * LANES;
    ownQuery[c] = vec4<f32>(q[index]) * params.scale;
    ownGrad[c] = vec4<f32>(dy[index]);
    total[c] = vec4<f32>(0.0);
  }
  for (var tile = 0u; tile < params.length; tile += TILE) {
    let count = min(TILE, params.length - tile);
    stage(start + tile * D4, count, local);
    for (var j = 0u; j < count; j += 4u) {
      let rows = tileRows(j, count);
      var score = vec4<f32>(0.0);
      var grad = vec4<f32>(0.0);
      for (var c = 0u; c < COLUMNS; c++) {
        let column = lane + c * LANES;
        score += vec4<f32>(
          dot(ownQuery[c], stagedA(rows.x, column)),
          dot(ownQuery[c], stagedA(rows.y, column)),
          dot(ownQuery[c], stagedA(rows.z, column)),
          dot(ownQuery[c], stagedA(rows.w, column)),
        );
        grad += vec4<f32>(
          dot(ownGrad[c], stagedB(rows.x, column)),
          dot(ownGrad[c], stagedB(rows.y, column)),
          dot(ownGrad[c], stagedB(rows.z, column)),
          dot(ownGrad[c], stagedB(rows.w, column)),
        );
      }
      score = laneTotal(score);
      grad = laneTotal(grad) * dropoutOfKeys(head, query, tile + j);
      let counts = keysCount(head, tile + j);
      let probability = select(vec4<f32>(0.0), exp(min(score - own.x, vec4<f32>(0.0))) * own.y, counts);
      let dScore = probability * (grad - own.z);
      for (var c = 0u; c < COLUMNS; c++) {
        let column = lane + c * LANES;
        total[c] += dScore.x * stagedA(rows.x, column) + dScore.y * stagedA(rows.y, column)
          + dScore.z * stagedA(rows.z, column) + dScore.w * stagedA(rows.w, column);
      }
    }
  }
  if (row >= params.length) {
    return;
  }
  for (var c = 0u; c < COLUMNS; c++) {
    dq[start + query * D4 + lane + c * LANES] = vec4<Scalar6>(total[c] * params.scale);
  }
}
