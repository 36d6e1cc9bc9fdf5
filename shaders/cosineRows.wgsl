// Cosine of each row of a with a row of b: y = a . b / max(|a| |b|, eps).
//
// One pair per row form (lib/rowSerial.wgsl, lib/rowWorkgroup.wgsl). An operand with fewer rows is repeated as a whole.
// bindings: 0 a [rowsA, width], 1 b [rowsB, width] (read), 2 y [rows] (write)
// params: rows, rowsA, rowsB, columns (Elements per row), eps

@group(0) @binding(0) var<storage, read> a: array<Element>;
@group(0) @binding(1) var<storage, read> b: array<Element>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

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
  if (lane == 0u) {
    y[row] = product / max(normA * normB, params.eps);
  }
}
