// Copies between two arrays that are strided over up to six merged axes, of any one dtype.
//
// Purpose: contiguous, permute, slices, cat, pad. One Element per invocation; RANK is the number of axes, so that the
// unused ones cost no division (integer division dominates on software adapters: 10 of them took 15 times the copy).
// A negative step is a stride in two's complement: u32 arithmetic wraps to the right element.
// bindings: 0 x (read), 1 y (write)
// params: count, size1..size5 (inner sizes), x0..x5, y0..y5 (strides), startX, startY; all in Elements

@group(0) @binding(0) var<storage, read> x: array<Stored0>;
@group(0) @binding(1) var<storage, read_write> y: array<Stored1>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  var rest = flatIndex(global, groups);
  if (rest >= params.count) {
    return;
  }
  var source = params.startX;
  var place = params.startY;
  if (RANK > 5u) {
    let outer = rest / params.size5;
    let c = rest - outer * params.size5;
    source += c * params.x5;
    place += c * params.y5;
    rest = outer;
  }
  if (RANK > 4u) {
    let outer = rest / params.size4;
    let c = rest - outer * params.size4;
    source += c * params.x4;
    place += c * params.y4;
    rest = outer;
  }
  if (RANK > 3u) {
    let outer = rest / params.size3;
    let c = rest - outer * params.size3;
    source += c * params.x3;
    place += c * params.y3;
    rest = outer;
  }
  if (RANK > 2u) {
    let outer = rest / params.size2;
    let c = rest - outer * params.size2;
    source += c * params.x2;
    place += c * params.y2;
    rest = outer;
  }
  if (RANK > 1u) {
    let outer = rest / params.size1;
    let c = rest - outer * params.size1;
    source += c * params.x1;
    place += c * params.y1;
    rest = outer;
  }
  y[place + rest * params.y0] = x[source + rest * params.x0];
}
