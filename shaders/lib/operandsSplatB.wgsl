// Operands of a broadcast function: one element of b goes with each Element of a.

@group(0) @binding(0) var<storage, read> a: array<Stored0>;
@group(0) @binding(1) var<storage, read> b: array<Scalar1>;

fn loadA(i: u32) -> Element {
  return Element(a[i]);
}

fn loadB(i: u32) -> Element {
  return Element(f32(b[i]));
}
