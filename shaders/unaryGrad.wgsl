// Gradient of y = f(x): dx = dy * f'(x), from the saved input; OP as in unary.wgsl.
//
// The derivatives of relu and abs at 0 are 0, that of clamp at its bounds is 1.
// bindings: 0 x (read), 1 dy (read), 2 dx (write)
// params: count (in Elements), low, high

const NEG: u32 = 0u;
const EXP: u32 = 1u;
const LOG: u32 = 2u;
const SQRT: u32 = 3u;
const RSQRT: u32 = 4u;
const TANH: u32 = 5u;
const GELU: u32 = 6u;
const RELU: u32 = 7u;
const SIGMOID: u32 = 8u;
const ABS: u32 = 9u;
const CLAMP: u32 = 10u;
const SQUARE: u32 = 11u;
const RECIPROCAL: u32 = 12u;
const ERF: u32 = 13u;
const SCALE: u32 = 14u;

@group(0) @binding(0) var<storage, read> x: array<Stored0>;
@group(0) @binding(1) var<storage, read> dy: array<Stored1>;
@group(0) @binding(2) var<storage, read_write> dx: array<Stored2>;

fn derivative(v: Element) -> Element {
  switch (OP) {
    case NEG: { return Element(-1.0); }
    case EXP: { return exp(v); }
    case LOG: { return 1.0 / v; }
    case SQRT: { return 0.5 * inverseSqrt(v); }
    case RSQRT: { return -0.5 * inverseSqrt(v) / v; }
    case TANH: {
      // 1 - tanh^2 cancels for large |x|; 4 e / (1 + e)^2 with e = exp(-2|x|) is the same without the difference.
      let e = exp(-2.0 * abs(v));
      return 4.0 * e / ((1.0 + e) * (1.0 + e));
    }
    case GELU: {
      return 0.5 * (1.0 + errorFunction(v * 0.7071067811865476)) + v * 0.3989422804014327 * exp(-0.5 * v * v);
    }
    case RELU: { return select(Element(0.0), Element(1.0), v > Element(0.0)); }
    case SIGMOID: {
      let e = exp(-abs(v));
      return e / ((1.0 + e) * (1.0 + e));
    }
    case ABS: { return sign(v); }
    case CLAMP: {
      return select(Element(0.0), Element(1.0), (v >= Element(params.low)) & (v <= Element(params.high)));
    }
    case SQUARE: { return 2.0 * v; }
    case RECIPROCAL: { return -1.0 / (v * v); }
    case ERF: { return 1.1283791670955126 * exp(-v * v); }
    case SCALE: { return Element(params.low); }
    default: { return Element(1.0); }
  }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flatIndex(global, groups);
  if (i < params.count) {
    dx[i] = Stored2(Element(dy[i]) * derivative(Element(x[i])));
  }
}
