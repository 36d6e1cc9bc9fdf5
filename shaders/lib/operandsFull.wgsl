// Operands of a broadcast function: both are read as Elements.

@group(0) @binding(0) var<storage, read> a: array<Element>;
@group(0) @binding(1) var<storage, read> b: array<Element>;

fn loadA(i: u32) -> Element {
  return a[i];
}

fn loadB(i: u32) -> Element {
  return b[i];
}
