// y = (x - mean) * rstd * weight + bias with one value per channel; RESIDUAL adds another array, RELU clips at 0.
//
// Algorithm: one invocation per column of Elements and ROWS rows, so that the channel's values are loaded once.
// The explicit fma lets batchNormGrad.wgsl and normGradSums.wgsl find the same sign again, to the bit.
// bindings: 0 x, 1 weight, 2 mean, 3 rstd, or the variance if EVAL, 4 bias, 5 residual if RESIDUAL (read), 6 y (write)
// params: rows, columns (Elements per row), eps

@group(0) @binding(0) var<storage, read> x: array<Stored0>;
@group(0) @binding(1) var<storage, read> weight: array<Element>;
@group(0) @binding(4) var<storage, read> bias: array<Element>;
@group(0) @binding(5) var<storage, read> residual: array<Stored5>;
@group(0) @binding(6) var<storage, read_write> y: array<Stored6>;

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
  let end = min(first + ROWS, params.rows);
  for (var row = first; row < end; row += 1u) {
    let at = row * params.columns + column;
    var value = fma(Element(x[at]) - mean, factor, shift);
    if (RESIDUAL) {
      value += Element(residual[at]);
    }
    if (RELU) {
      value = max(value, Element(0.0));
    }
    y[at] = Stored6(value);
  }
}
