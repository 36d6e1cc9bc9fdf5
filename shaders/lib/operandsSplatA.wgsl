// Operands of a broadcast function: one element of a goes with each Element of b.

@group(0) @binding(0) var<storage, read> a: array<Scalar0>;
@group(0) @binding(1) var<storage, read> b: array<Stored1>;

fn loadA(i: u32) -> Element {
  return Element(f32(a[i]));
}

fn loadB(i: u32) -> Element {
  return Element(b[i]);
}
