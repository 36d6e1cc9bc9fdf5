// Operands of a matrix product in vec4 steps: every row of A, B and the result starts at a multiple of four elements
// and has a multiple of four.
//
// bindings: 0 a (read), 1 b (read), 2 bias (read; only where HAS_BIAS, else any array), 3 result (write)

@group(0) @binding(0) var<storage, read> a: array<vec4<Scalar0>>;
@group(0) @binding(1) var<storage, read> b: array<vec4<Scalar1>>;
@group(0) @binding(2) var<storage, read> bias: array<vec4<Scalar2>>;
@group(0) @binding(3) var<storage, read_write> result: array<vec4<Scalar3>>;

// Four elements from `index`, which exist.
fn fetchA(index: u32) -> vec4<f32> {
  return vec4<f32>(a[index / 4u]);
}

fn fetchB(index: u32) -> vec4<f32> {
  return vec4<f32>(b[index / 4u]);
}

// Four elements from `index`; `count` of them exist (0, or at least 4).
fn readA(index: u32, count: u32) -> vec4<f32> {
  let exists = count > 0u;
  return select(vec4<f32>(0.0), vec4<f32>(a[select(0u, index / 4u, exists)]), exists);
}

fn readB(index: u32, count: u32) -> vec4<f32> {
  let exists = count > 0u;
  return select(vec4<f32>(0.0), vec4<f32>(b[select(0u, index / 4u, exists)]), exists);
}

fn readBias(index: u32, count: u32) -> vec4<f32> {
  return vec4<f32>(bias[index / 4u]);
}

fn writeResult(index: u32, count: u32, value: vec4<f32>) {
  if (ACCUMULATE) {
    result[index / 4u] = vec4<Scalar3>(vec4<f32>(result[index / 4u]) + value);
    return;
  }
  result[index / 4u] = vec4<Scalar3>(value);
}
