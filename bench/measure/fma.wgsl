// Peak of f32 arithmetic: every invocation keeps CHAINS independent chains of multiply-adds on vec4 in registers.
// A chain has to wait for its last result, so enough of them hide the latency; too many spill the registers. The host
// tries several numbers, with `fma` and with a product and a sum, and takes the fastest.
// bindings: 0 y (write). params: steps. 8 * CHAINS * steps operations per invocation.

@group(0) @binding(0) var<storage, read_write> y: array<f32>;

fn multiplyAdd(a: vec4<f32>, b: vec4<f32>, c: vec4<f32>) -> vec4<f32> {
  if (FUSED) {
    return fma(a, b, c);
  }
  return a * b + c;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) global: vec3<u32>) {
  // Near the fixed point of x -> factor * x + summand, so that nothing overflows and nothing becomes subnormal.
  let factor = vec4<f32>(0.999) + vec4<f32>(f32(global.x & 1u) * 1e-4);
  let summand = vec4<f32>(0.001);
  let start = vec4<f32>(0.5, 0.6, 0.7, 0.8) + vec4<f32>(f32(global.x & 7u));
  var a = start;
  var b = start + 1.0;
  var c = start + 2.0;
  var d = start + 3.0;
  var e = start + 4.0;
  var f = start + 5.0;
  var g = start + 6.0;
  var h = start + 7.0;
  for (var step = 0u; step < params.steps; step += 4u) {
    // Written out four times: on software adapters the loop itself costs as much as two chains.
    a = multiplyAdd(a, factor, summand);
    b = multiplyAdd(b, factor, summand);
    if (CHAINS > 2u) {
      c = multiplyAdd(c, factor, summand);
      d = multiplyAdd(d, factor, summand);
    }
    if (CHAINS > 4u) {
      e = multiplyAdd(e, factor, summand);
      f = multiplyAdd(f, factor, summand);
      g = multiplyAdd(g, factor, summand);
      h = multiplyAdd(h, factor, summand);
    }
    a = multiplyAdd(a, factor, summand);
    b = multiplyAdd(b, factor, summand);
    if (CHAINS > 2u) {
      c = multiplyAdd(c, factor, summand);
      d = multiplyAdd(d, factor, summand);
    }
    if (CHAINS > 4u) {
      e = multiplyAdd(e, factor, summand);
      f = multiplyAdd(f, factor, summand);
      g = multiplyAdd(g, factor, summand);
      h = multiplyAdd(h, factor, summand);
    }
    a = multiplyAdd(a, factor, summand);
    b = multiplyAdd(b, factor, summand);
    if (CHAINS > 2u) {
      c = multiplyAdd(c, factor, summand);
      d = multiplyAdd(d, factor, summand);
    }
    if (CHAINS > 4u) {
      e = multiplyAdd(e, factor, summand);
      f = multiplyAdd(f, factor, summand);
      g = multiplyAdd(g, factor, summand);
      h = multiplyAdd(h, factor, summand);
    }
    a = multiplyAdd(a, factor, summand);
    b = multiplyAdd(b, factor, summand);
    if (CHAINS > 2u) {
      c = multiplyAdd(c, factor, summand);
      d = multiplyAdd(d, factor, summand);
    }
    if (CHAINS > 4u) {
      e = multiplyAdd(e, factor, summand);
      f = multiplyAdd(f, factor, summand);
      g = multiplyAdd(g, factor, summand);
      h = multiplyAdd(h, factor, summand);
    }
  }
  let total = a + b + c + d + e + f + g + h;
  y[global.x] = total.x + total.y + total.z + total.w;
}
