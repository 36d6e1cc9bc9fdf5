// Copies x into a region y of another array, both strided over up to six merged axes, bit by bit (any dtype).
//
// Purpose: cat, pad and the gradient of slice. A negative step is a stride in two's complement: u32 arithmetic wraps.
// RANK is the number of axes; the unused ones cost no division.
// bindings: 0 x (read), 1 y (write)
// params: count, size1..size5 (inner sizes), x0..x5, y0..y5 (strides), startX, startY

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flatIndex(global, groups);
  if (i >= params.count) {
    return;
  }
  var rest = i;
  var source = params.startX;
  var place = params.startY;
  if (RANK > 5u) {
    let c = rest % params.size5;
    source += c * params.x5;
    place += c * params.y5;
    rest = rest / params.size5;
  }
  if (RANK > 4u) {
    let c = rest % params.size4;
    source += c * params.x4;
    place += c * params.y4;
    rest = rest / params.size4;
  }
  if (RANK > 3u) {
    let c = rest % params.size3;
    source += c * params.x3;
    place += c * params.y3;
    rest = rest / params.size3;
  }
  if (RANK > 2u) {
    let c = rest % params.size2;
    source += c * params.x2;
    place += c * params.y2;
    rest = rest / params.size2;
  }
  if (RANK > 1u) {
    let c = rest % params.size1;
    source += c * params.x1;
    place += c * params.y1;
    rest = rest / params.size1;
  }
  y[place + rest * params.y0] = x[source + rest * params.x0];
}
