// Gradients of the cosine of rows, y = a . b / max(|a| |b|, eps), for both operands.
//
// With w = |a| |b| > eps: da = dy (b / w - y a / |a|^2) and likewise db; at or below eps the divisor is constant and
// da = dy b / eps. Both gradients have all `rows`: the caller adds up those of a repeated operand.
// bindings: 0 a [rowsA, width], 1 b [rowsB, width], 2 dy [rows] (read), 3 da, 4 db [rows, width] (write)
// params: rows, rowsA, rowsB, columns (Elements per row), eps

@group(0) @binding(0) var<storage, read> a: array<Element>;
@group(0) @binding(1) var<storage, read> b: array<Element>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> da: array<Element>;
@group(0) @binding(4) var<storage, read_write> db: array<Element>;

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
  let firstA = (row % params.rowsA) * params.columns;
  let firstB = (row % params.rowsB) * params.columns;
  var aa = Element(0.0);
  var bb = Element(0.0);
  var ab = Element(0.0);
  for (var i = lane; i < params.columns; i += LANES) {
    let va = a[firstA + i];
    let vb = b[firstB + i];
    aa += va * va;
    bb += vb * vb;
    ab += va * vb;
  }
  let normA = sqrt(rowSum(elementSum(aa), lane));
  let normB = sqrt(rowSum(elementSum(bb), lane));
  let product = rowSum(elementSum(ab), lane);
  let norms = normA * normB;
  let across = dy[row] / max(norms, params.eps);
  var alongA = 0.0;
  var alongB = 0.0;
  if (norms > params.eps) {
    alongA = across * (product / normA) / normA;
    alongB = across * (product / normB) / normB;
  }
  for (var i = lane; i < params.columns; i += LANES) {
    let va = a[firstA + i];
    let vb = b[firstB + i];
    da[row * params.columns + i] = across * vb - alongA * va;
    db[row * params.columns + i] = across * va - alongB * vb;
  }
}
