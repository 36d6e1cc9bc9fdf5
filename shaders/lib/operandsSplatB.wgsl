// Operands of a broadcast function: one element of b goes with each Element of a.

@group(0) @binding(0) var<storage, read> a: array<Element>;
@group(0) @binding(1) var<storage, read> b: array<f32>;

fn loadA(i: u32) -> Element {
  return a[i];
}

fn loadB(i: u32) -> Element {
  return Element(b[i]);
}
