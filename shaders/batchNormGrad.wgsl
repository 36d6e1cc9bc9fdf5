// Input gradient of batch norm.
//
// With n rows and xhat = (x - mean) * rstd: in training dx = weight * rstd * (dy - (sum dy + xhat * sum(dy xhat)) / n)
// (Ioffe and Szegedy, arXiv 1502.03167, section 3); with fixed statistics (EVAL) dx = weight * rstd * dy.
// bindings: 0 x, 1 dy, 2 mean, 3 rstd, or the variance if EVAL, 4 weight, 5 sums [2, channels] (read), 6 dx (write)
// params: rows, columns (Elements per row), eps

@group(0) @binding(0) var<storage, read> x: array<Element>;
@group(0) @binding(1) var<storage, read> dy: array<Element>;
@group(0) @binding(4) var<storage, read> weight: array<Element>;
@group(0) @binding(5) var<storage, read> sums: array<Element>;
@group(0) @binding(6) var<storage, read_write> dx: array<Element>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flatIndex(global, groups);
  let column = i % params.columns;
  let first = (i / params.columns) * ROWS;
  if (first >= params.rows) {
    return;
  }
  let end = min(first + ROWS, params.rows);
  if (EVAL) {
    let factor = inverseSqrt(spreadOf[column] + params.eps) * weight[column];
    for (var row = first; row < end; row += 1u) {
      let at = row * params.columns + column;
      dx[at] = dy[at] * factor;
    }
    return;
  }
  let mean = meanOf[column];
  let rstd = spreadOf[column];
  let factor = rstd * weight[column];
  let offset = sums[column] / f32(params.rows);
  let slope = rstd * sums[params.columns + column] / f32(params.rows);
  for (var row = first; row < end; row += 1u) {
    let at = row * params.columns + column;
    dx[at] = factor * (dy[at] - offset - (x[at] - mean) * slope);
  }
}
