// Sums that keep what rounding takes away, for totals that cancel to almost nothing (TwoSum: Knuth, The Art of Computer
// Programming 2, section 4.2.2). Compilers may simplify (a + b) - a as if numbers were exact, which undoes it; Mesa
// does. They cannot see through a bit pattern that depends on params.zero, which the host sets to 0.
// Expects Element, ElementBits (lib/element*.wgsl) and the parameter zero: u32.

struct Sum {
  high: Element,
  low: Element,
}

fn opaque(value: Element) -> Element {
  return bitcast<Element>(bitcast<ElementBits>(value) ^ ElementBits(params.zero));
}

fn addTo(sum: Sum, value: Element) -> Sum {
  let total = opaque(sum.high + value);
  let taken = opaque(total - sum.high);
  let lost = (sum.high - (total - taken)) + (value - taken);
  return Sum(total, sum.low + lost);
}

// The same sum with `high` as near to it as one number can be.
fn settled(sum: Sum) -> Sum {
  return addTo(Sum(sum.high, Element(0.0)), sum.low);
}
