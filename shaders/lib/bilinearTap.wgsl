// The two inputs between which an output of a linear resize lies, along one axis.
//
// The source position is the fraction (o * numerator + shift) / denominator, clipped at 0. Integers keep it exact:
// in f32 a position beside a whole number can fall to the wrong side.

struct Tap {
  low: i32,
  high: i32,
  // Share of `high`.
  weight: f32,
}

fn tapOf(o: i32, size: i32, numerator: i32, shift: i32, denominator: i32) -> Tap {
  let position = max(o * numerator + shift, 0);
  let low = position / denominator;
  return Tap(low, min(low + 1, size - 1), f32(position - low * denominator) / f32(denominator));
}

// Share of input i in an output.
fn shareOf(i: i32, tap: Tap) -> f32 {
  return select(0.0, 1.0 - tap.weight, tap.low == i) + select(0.0, tap.weight, tap.high == i);
}

// Outputs (begin, end) in which input i may have a share: those that lie between its neighbours, or beyond the edge.
fn outputsNear(i: i32, size: i32, outSize: i32, numerator: i32, shift: i32, denominator: i32) -> vec2<i32> {
  if (numerator == 0) {
    return vec2<i32>(0, outSize);
  }
  let begin = max(((i - 1) * denominator - shift) / numerator, 0);
  let end = min(((i + 1) * denominator - shift) / numerator + 1, outSize);
  return vec2<i32>(select(begin, 0, i == 0), select(end, outSize, i == size - 1));
}
