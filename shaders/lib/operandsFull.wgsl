// Operands of a broadcast function: both are read as Elements.

@group(0) @binding(0) var<storage, read> a: array<Stored0>;
@group(0) @binding(1) var<storage, read> b: array<Stored1>;

fn loadA(i: u32) -> Element {
  return Element(a[i]);
}

fn loadB(i: u32) -> Element {
  return Element(b[i]);
}
