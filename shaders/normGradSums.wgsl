// First stage of the parameter gradients of batch and layer norm: sums of dy and dy * xhat over chunks of rows.
//
// Algorithm: one invocation per chunk and column of Elements, neighbours along the channels; sums run in blocks of 16
// rows, and between blocks sum(dy) keeps what rounding takes (lib/sumCompensated.wgsl): over the rows the input
// gradient of batch norm cancels only as far as this sum is right. normGradTotals.wgsl adds the chunks.
// Where RELU followed, dy only counts if the output was positive, which is computed again rather than read.
// bindings: 0 x, 1 dy, 2 mean, 3 rstd, or the variance if EVAL (per column or row: lib/statsOf*.wgsl), 4 weight,
//           5 bias if RELU (read), 6 partial (write) [3, chunks, channels]: sums of dy, of dy * xhat, and what rounding
//           took from the first
// params: rows, columns (Elements per row), chunkRows, chunks, eps, zero

const BLOCK: u32 = 16u;

@group(0) @binding(0) var<storage, read> x: array<Stored0>;
@group(0) @binding(1) var<storage, read> dy: array<Stored1>;
@group(0) @binding(4) var<storage, read> weight: array<Stored4>;
@group(0) @binding(5) var<storage, read> bias: array<Stored5>;
@group(0) @binding(6) var<storage, read_write> partials: array<Element>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flatIndex(global, groups);
  let columns = params.columns;
  if (i >= columns * params.chunks) {
    return;
  }
  let column = i % columns;
  let begin = (i / columns) * params.chunkRows;
  let end = min(begin + params.chunkRows, params.rows);
  var plain = Sum(Element(0.0), Element(0.0));
  var weighted = Element(0.0);
  for (var block = begin; block < end; block += BLOCK) {
    var blockPlain = Element(0.0);
    var blockWeighted = Element(0.0);
    let blockEnd = min(block + BLOCK, end);
    for (var row = block; row < blockEnd; row += 1u) {
      let at = row * columns + column;
      let stats = statsIndex(row, column);
      var rstd = spreadOf[stats];
      if (EVAL) {
        rstd = inverseSqrt(rstd + params.eps);
      }
      var grad = Element(dy[at]);
      let centred = Element(x[at]) - meanOf[stats];
      if (RELU) {
        grad = select(Element(0.0), grad, fma(centred, rstd * Element(weight[column]), Element(bias[column])) > Element(0.0));
      }
      blockPlain += grad;
      blockWeighted += grad * (centred * rstd);
    }
    plain = addTo(plain, blockPlain);
    weighted += blockWeighted;
  }
  let result = settled(plain);
  let size = columns * params.chunks;
  partials[i] = result.high;
  partials[size + i] = weighted;
  partials[2u * size + i] = result.low;
}
