// Operands of a matrix product element by element: for sizes that are not multiples of four.
// Same interface as lib/gemmVec4.wgsl.

@group(0) @binding(0) var<storage, read> a: array<Scalar0>;
@group(0) @binding(1) var<storage, read> b: array<Scalar1>;
@group(0) @binding(2) var<storage, read> bias: array<Scalar2>;
@group(0) @binding(3) var<storage, read_write> result: array<Scalar3>;

fn fetchA(index: u32) -> vec4<f32> {
  return vec4<f32>(f32(a[index]), f32(a[index + 1u]), f32(a[index + 2u]), f32(a[index + 3u]));
}

fn fetchB(index: u32) -> vec4<f32> {
  return vec4<f32>(f32(b[index]), f32(b[index + 1u]), f32(b[index + 2u]), f32(b[index + 3u]));
}

fn readA(index: u32, count: u32) -> vec4<f32> {
  var value = vec4<f32>(0.0);
  if (count > 0u) { value.x = f32(a[index]); }
  if (count > 1u) { value.y = f32(a[index + 1u]); }
  if (count > 2u) { value.z = f32(a[index + 2u]); }
  if (count > 3u) { value.w = f32(a[index + 3u]); }
  return value;
}

fn readB(index: u32, count: u32) -> vec4<f32> {
  var value = vec4<f32>(0.0);
  if (count > 0u) { value.x = f32(b[index]); }
  if (count > 1u) { value.y = f32(b[index + 1u]); }
  if (count > 2u) { value.z = f32(b[index + 2u]); }
  if (count > 3u) { value.w = f32(b[index + 3u]); }
  return value;
}

fn readBias(index: u32, count: u32) -> vec4<f32> {
  var value = vec4<f32>(0.0);
  if (count > 0u) { value.x = f32(bias[index]); }
  if (count > 1u) { value.y = f32(bias[index + 1u]); }
  if (count > 2u) { value.z = f32(bias[index + 2u]); }
  if (count > 3u) { value.w = f32(bias[index + 3u]); }
  return value;
}

fn writeElement(index: u32, value: f32) {
  if (ACCUMULATE) {
    result[index] = Scalar3(f32(result[index]) + value);
    return;
  }
  result[index] = Scalar3(value);
}

fn writeResult(index: u32, count: u32, value: vec4<f32>) {
  if (count > 0u) { writeElement(index, value.x); }
  if (count > 1u) { writeElement(index + 1u, value.y); }
  if (count > 2u) { writeElement(index + 2u, value.z); }
  if (count > 3u) { writeElement(index + 3u, value.w); }
}
