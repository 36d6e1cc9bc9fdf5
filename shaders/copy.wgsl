// Copies a strided array of up to six axes into a strided or dense one, bit by bit (any dtype).
//
// Purpose: contiguous, permute, slice with steps, cat and the write half of indexing.
// A negative step is a stride in two's complement: u32 arithmetic wraps to the right element.
// bindings: 0 x (read), 1 y (write)
// params: count, size1..size5 (inner sizes of the source), x0..x5 (source strides), startX, startY; y is dense

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
  source += (rest % params.size5) * params.x5;
  rest = rest / params.size5;
  source += (rest % params.size4) * params.x4;
  rest = rest / params.size4;
  source += (rest % params.size3) * params.x3;
  rest = rest / params.size3;
  source += (rest % params.size2) * params.x2;
  rest = rest / params.size2;
  source += (rest % params.size1) * params.x1;
  source += (rest / params.size1) * params.x0;
  y[params.startY + i] = x[source];
}
