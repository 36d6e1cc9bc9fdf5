// Reduces the middle axis of [outer, length, inner] in chunks: sum, mean, max or log-sum-exp. y is [outer, chunks, inner].
//
// Algorithm: one invocation walks one chunk of one column of Elements, so that neighbours read neighbouring memory.
// Sums run in blocks of 64, so that rounding grows with the square root of the blocks.
// bindings: 0 x (read), 1 y (write)
// params: outer, length, inner (in Elements), chunks, chunkLength, divisor (of the mean)

const SUM: u32 = 0u;
const MEAN: u32 = 1u;
const MAX: u32 = 2u;
const LOG_SUM_EXP: u32 = 3u;
const BLOCK: u32 = 64u;

@group(0) @binding(0) var<storage, read> x: array<Stored0>;
@group(0) @binding(1) var<storage, read_write> y: array<Stored1>;

fn maximum(first: u32, count: u32) -> Element {
  var largest = Element(x[first]);
  for (var i = 1u; i < count; i++) {
    largest = max(largest, Element(x[first + i * params.inner]));
  }
  return largest;
}

fn total(first: u32, count: u32, shift: Element) -> Element {
  var sum = Element(0.0);
  for (var block = 0u; block < count; block += BLOCK) {
    var partial = Element(0.0);
    let end = min(count, block + BLOCK);
    for (var i = block; i < end; i++) {
      let value = Element(x[first + i * params.inner]);
      if (OP == LOG_SUM_EXP) {
        partial += exp(value - shift);
      } else {
        partial += value;
      }
    }
    sum += partial;
  }
  return sum;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let item = flatIndex(global, groups);
  if (item >= params.outer * params.chunks * params.inner) {
    return;
  }
  let rest = item / params.inner;
  let column = item - rest * params.inner;
  let slab = rest / params.chunks;
  let start = (rest - slab * params.chunks) * params.chunkLength;
  let first = (slab * params.length + start) * params.inner + column;
  let count = min(params.chunkLength, params.length - start);
  var value = Element(0.0);
  if (OP == MAX) {
    value = maximum(first, count);
  } else if (OP == LOG_SUM_EXP) {
    // The bound keeps the difference meaningful in a column of nothing but -inf.
    let shift = max(maximum(first, count), Element(-3e38));
    value = shift + log(total(first, count, shift));
  } else {
    value = total(first, count, Element(0.0));
    if (OP == MEAN) {
      value = value / params.divisor;
    }
  }
  y[item] = Stored1(value);
}
