// Operands of a broadcast function: one element of a goes with each Element of b.

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<Element>;

fn loadA(i: u32) -> Element {
  return Element(a[i]);
}

fn loadB(i: u32) -> Element {
  return b[i];
}
