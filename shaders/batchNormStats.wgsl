// First stage of the batch statistics: mean and sum of squared deviations of chunks of rows of [rows, channels].
//
// Algorithm: one invocation per chunk and column of Elements, neighbours along the channels, no barriers. Blocks of four
// rows are centred in registers and joined by Chan's formula (Chan, Golub and LeVeque, 1983). Everything is measured
// from the chunk's first row, so that a mean far from zero costs no digits.
// bindings: 0 x (read), 1 partial (write) [2, chunks, channels]: means, then squared deviations
// params: rows, columns (Elements per row), chunkRows, chunks

@group(0) @binding(0) var<storage, read> x: array<Stored0>;
@group(0) @binding(1) var<storage, read_write> partials: array<Element>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flatIndex(global, groups);
  let columns = params.columns;
  if (i >= columns * params.chunks) {
    return;
  }
  let begin = (i / columns) * params.chunkRows;
  let end = min(begin + params.chunkRows, params.rows);
  var at = begin * columns + i % columns;
  let pivot = Element(x[at]);
  var mean = Element(0.0);
  var squares = Element(0.0);
  var count = 0.0;
  var row = begin;
  for (; row + 4u <= end; row += 4u) {
    let v0 = Element(x[at]) - pivot;
    let v1 = Element(x[at + columns]) - pivot;
    let v2 = Element(x[at + 2u * columns]) - pivot;
    let v3 = Element(x[at + 3u * columns]) - pivot;
    at += 4u * columns;
    let blockMean = 0.25 * ((v0 + v1) + (v2 + v3));
    let d0 = v0 - blockMean;
    let d1 = v1 - blockMean;
    let d2 = v2 - blockMean;
    let d3 = v3 - blockMean;
    let delta = blockMean - mean;
    let share = 4.0 / (count + 4.0);
    mean += delta * share;
    squares += ((d0 * d0 + d1 * d1) + (d2 * d2 + d3 * d3)) + delta * delta * (count * share);
    count += 4.0;
  }
  for (; row < end; row += 1u) {
    let delta = Element(x[at]) - pivot - mean;
    at += columns;
    let share = 1.0 / (count + 1.0);
    mean += delta * share;
    squares += delta * delta * (count * share);
    count += 1.0;
  }
  partials[i] = pivot + mean;
  partials[columns * params.chunks + i] = squares;
}
