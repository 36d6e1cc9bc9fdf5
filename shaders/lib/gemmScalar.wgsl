// Operands of a matrix product element by element: for sizes that are not multiples of four.
// Same interface as lib/gemmVec4.wgsl.

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> result: array<f32>;

fn readA(index: u32, count: u32) -> vec4<f32> {
  var value = vec4<f32>(0.0);
  if (count > 0u) { value.x = a[index]; }
  if (count > 1u) { value.y = a[index + 1u]; }
  if (count > 2u) { value.z = a[index + 2u]; }
  if (count > 3u) { value.w = a[index + 3u]; }
  return value;
}

fn readB(index: u32, count: u32) -> vec4<f32> {
  var value = vec4<f32>(0.0);
  if (count > 0u) { value.x = b[index]; }
  if (count > 1u) { value.y = b[index + 1u]; }
  if (count > 2u) { value.z = b[index + 2u]; }
  if (count > 3u) { value.w = b[index + 3u]; }
  return value;
}

fn readBias(index: u32, count: u32) -> vec4<f32> {
  var value = vec4<f32>(0.0);
  if (count > 0u) { value.x = bias[index]; }
  if (count > 1u) { value.y = bias[index + 1u]; }
  if (count > 2u) { value.z = bias[index + 2u]; }
  if (count > 3u) { value.w = bias[index + 3u]; }
  return value;
}

fn writeResult(index: u32, count: u32, value: vec4<f32>) {
  if (count > 0u) { result[index] = value.x; }
  if (count > 1u) { result[index + 1u] = value.y; }
  if (count > 2u) { result[index + 2u] = value.z; }
  if (count > 3u) { result[index + 3u] = value.w; }
}
