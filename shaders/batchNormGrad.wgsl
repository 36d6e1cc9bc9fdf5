// Input gradient of batch norm.
//
// With n rows and xhat = (x - mean) * rstd: in training dx = weight * rstd * (dy - (sum dy + xhat * sum(dy xhat)) / n)
// (Ioffe and Szegedy, arXiv 1502.03167, section 3); with fixed statistics (EVAL) dx = weight * rstd * dy. Where RELU
// followed, dy only counts if the output was positive, which is computed again rather than read.
// In training the dx of a channel sum to zero, and gradients below are zero because of that. Terms are joined by fma,
// and what all rows share is held in two numbers (level + rest), because its rounding would add up over the rows: the
// mean of dx is off by 0.25 to 0.45 x 2^-24 instead of 0.55 to 1.1 (docs/decisions/batch-norm-gradient-sums.md).
// bindings: 0 x, 1 dy, 2 mean, 3 rstd, or the variance if EVAL, 4 weight, 5 bias, 6 sums [3, channels] of
//           normGradSums.wgsl (read), 7 dx (write)
// params: rows, columns (Elements per row), eps

@group(0) @binding(0) var<storage, read> x: array<Stored0>;
@group(0) @binding(1) var<storage, read> dy: array<Stored1>;
@group(0) @binding(4) var<storage, read> weight: array<Element>;
@group(0) @binding(5) var<storage, read> bias: array<Element>;
@group(0) @binding(6) var<storage, read> sums: array<Element>;
@group(0) @binding(7) var<storage, read_write> dx: array<Stored7>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flatIndex(global, groups);
  let column = i % params.columns;
  let first = (i / params.columns) * ROWS;
  if (first >= params.rows) {
    return;
  }
  let mean = meanOf[column];
  var rstd = spreadOf[column];
  if (EVAL) {
    rstd = inverseSqrt(rstd + params.eps);
  }
  let factor = rstd * weight[column];
  let shift = bias[column];
  var level = Element(0.0);
  var rest = Element(0.0);
  var slope = Element(0.0);
  if (!EVAL) {
    let n = f32(params.rows);
    let total = sums[column];
    let share = total / n;
    let lost = fma(share, Element(-n), total) + sums[2u * params.columns + column];
    slope = factor * rstd * sums[params.columns + column] / n;
    // level + rest = factor * sum(dy) / n
    level = factor * share;
    rest = fma(factor, share, -level) + factor * lost / n;
  }
  let end = min(first + ROWS, params.rows);
  for (var row = first; row < end; row += 1u) {
    let at = row * params.columns + column;
    var grad = Element(dy[at]);
    if (EVAL && !RELU) {
      dx[at] = Stored7(factor * grad);
      continue;
    }
    let centred = Element(x[at]) - mean;
    if (RELU) {
      grad = select(Element(0.0), grad, fma(centred, factor, shift) > Element(0.0));
    }
    dx[at] = Stored7(fma(factor, grad, fma(-centred, slope, -rest) - level));
  }
}
