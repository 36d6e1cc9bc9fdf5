// The functions of two arguments, selected by the constant OP. Expects Element (lib/element*.wgsl).

const ADD: u32 = 0u;
const SUB: u32 = 1u;
const MUL: u32 = 2u;
const DIV: u32 = 3u;
const MAXIMUM: u32 = 4u;
// Share of the gradient that goes to the first argument of the maximum: 1, 1/2 at ties, 0.
const MAXIMUM_SHARE: u32 = 5u;

fn apply(a: Element, b: Element) -> Element {
  switch (OP) {
    case ADD: { return a + b; }
    case SUB: { return a - b; }
    case MUL: { return a * b; }
    case DIV: { return a / b; }
    case MAXIMUM: { return max(a, b); }
    case MAXIMUM_SHARE: {
      return select(select(Element(0.0), Element(0.5), a == b), Element(1.0), a > b);
    }
    default: { return a; }
  }
}
