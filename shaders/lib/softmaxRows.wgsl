// What softmax and its gradient share: a row of `length` Elements, `stride` apart. Expects COLUMNS and lib/row*.wgsl.
//
// With COLUMNS the floats of an Element belong to neighbouring rows (softmax along an inner axis), and one invocation
// walks them together; else they are neighbours in one row, which the lanes of lib/row*.wgsl share.
// Shaders may assume that no infinities occur, so -inf is recognised by its bits and counts as -1e30.

const SOFTMAX: u32 = 0u;
const LOG_SOFTMAX: u32 = 1u;
const NEGATIVE_INFINITY: u32 = 0xff800000u;
const BLOCK: u32 = 64u;

fn finite(bits: ElementBits) -> Element {
  return bitcast<Element>(select(bits, ElementBits(bitcast<u32>(-1e30)), bits == ElementBits(NEGATIVE_INFINITY)));
}

fn sumOfRow(value: Element, lane: u32) -> Element {
  if (COLUMNS) {
    return value;
  }
  return Element(rowSum(elementSum(value), lane));
}

fn maxOfRow(value: Element, lane: u32) -> Element {
  if (COLUMNS) {
    return value;
  }
  return Element(rowMax(elementMax(value), lane));
}
