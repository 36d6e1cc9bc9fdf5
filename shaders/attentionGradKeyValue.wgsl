// Gradients of attention with respect to keys and values; probabilities are recomputed from the saved statistics.
//
// Each row is a key, which walks all queries: dv = sum of p * factor * dy, dk = scale * sum of ds q, with p and ds as in
// attentionGradQuery.wgsl. A masked key takes no part and gets zeros.
// bindings: 0 q, 1 k, 2 v, 3 mask, 4 dy, 5 rows (read), 6 dk, 7 dv (write)

@group(0) @binding(0) var<storage, read> q: array<vec4<Scalar0>>;
@group(0) @binding(1) var<storage, read> k: array<vec4<Scalar1>>;
@group(0) @binding(2) var<storage, read> v: array<vec4<Scalar2>>;
@group(0) @binding(3) var<storage, read> mask: array<i32>;
@group(0) @binding(4) var<storage, read> dy: array<vec4<Scalar4>>;
@group(0) @binding(5) var<storage, read> rowStats: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> dk: array<vec4<Scalar6>>;
@group(0) @binding(7) var<storage, read_write> dv: array<vec4<Scalar7>>;

fn readA(index: u32) -> vec4<f32> { return vec4<f32>(q[index]); }
fn readB(index: u32) -> vec4<f32> { return vec4<f32>(dy[index]); }

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
  let key = min(row, params.length - 1u);
  let start = head * params.length * D4;
  let counts = keyCounts(head, key);

  var ownKey: array<vec4<f32>, COLUMNS>;
  var ownValue: array<vec4<f32>, COLUMNS>;
  var keyTotal: array<vec4<f32>, COLUMNS>;
  var valueTotal: array<vec4<f32>, COLUMNS>;
  for (var c = 0u; c < COLUMNS; c++) {
    let index = start + key * D4 + lane + c * LANES;
    ownKey[c] = vec4<f32>(k[index]) * params.scale;
    ownValue[c] = vec4<f32>(v[index]);
    keyTotal[c] = vec4<f32>(0.0);
    valueTotal[c] = vec4<f32>(0.0);
  }
  for (var tile = 0u; tile < params.length; tile += TILE) {
    let count = min(TILE, params.length - tile);
    stage(start + tile * D4, count, local);
    for (var i = 0u; i < count; i += 4u) {
      let rows = tileRows(i, count);
      var score = vec4<f32>(0.0);
      var grad = vec4<f32>(0.0);
      for (var c = 0u; c < COLUMNS; c++) {
        let column = lane + c * LANES;
        score += vec4<f32>(
          dot(ownKey[c], stagedA(rows.x, column)),
          dot(ownKey[c], stagedA(rows.y, column)),
          dot(ownKey[c], stagedA(rows.z, column)),
          dot(ownKey[c], stagedA(rows.w, column)),
        );
        grad += vec4<f32>(
          dot(ownValue[c], stagedB(rows.x, column)),
          dot(ownValue[c], stagedB(rows.y, column)),
          dot(ownValue[c], stagedB(rows.z, column)),
          dot(ownValue[c], stagedB(rows.w, column)),
        );
      }
      score = laneTotal(score);
      let factor = dropoutOfQueries(head, tile + i, key);
      grad = laneTotal(grad) * factor;
      let queries = mat4x4<f32>(
        rowStats[head * params.length + tile + rows.x],
        rowStats[head * params.length + tile + rows.y],
        rowStats[head * params.length + tile + rows.z],
        rowStats[head * params.length + tile + rows.w],
      );
      let stats = transpose(queries);
      let exists = (vec4<u32>(i, i + 1u, i + 2u, i + 3u) < vec4<u32>(count)) & vec4<bool>(counts);
      let probability = select(vec4<f32>(0.0), exp(min(score - stats[0], vec4<f32>(0.0))) * stats[1], exists);
      let dScore = probability * (grad - stats[2]);
      let kept = probability * factor;
      for (var c = 0u; c < COLUMNS; c++) {
        let column = lane + c * LANES;
        keyTotal[c] += dScore.x * stagedA(rows.x, column) + dScore.y * stagedA(rows.y, column)
          + dScore.z * stagedA(rows.z, column) + dScore.w * stagedA(rows.w, column);
        valueTotal[c] += kept.x * stagedB(rows.x, column) + kept.y * stagedB(rows.y, column)
          + kept.z * stagedB(rows.z, column) + kept.w * stagedB(rows.w, column);
      }
    }
  }
  if (row >= params.length) {
    return;
  }
  for (var c = 0u; c < COLUMNS; c++) {
    let index = start + key * D4 + lane + c * LANES;
    dk[index] = vec4<Scalar6>(keyTotal[c] * params.scale);
    dv[index] = vec4<Scalar7>(valueTotal[c]);
  }
}
