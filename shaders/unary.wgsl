// y = f(x) for a dense array; OP selects the function.
//
// bindings: 0 x (read), 1 y (write)
// params: count (in Elements), low, high (bounds of clamp)

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
@group(0) @binding(1) var<storage, read_write> y: array<Stored1>;

fn apply(v: Element) -> Element {
  switch (OP) {
    case NEG: { return -v; }
    case EXP: { return exp(v); }
    case LOG: { return log(v); }
    case SQRT: { return sqrt(v); }
    case RSQRT: { return inverseSqrt(v); }
    case TANH: { return stableTanh(v); }
    case GELU: { return 0.5 * v * (1.0 + errorFunction(v * 0.7071067811865476)); }
    case RELU: { return max(v, Element(0.0)); }
    case SIGMOID: { return stableSigmoid(v); }
    case ABS: { return abs(v); }
    case CLAMP: { return clamp(v, Element(params.low), Element(params.high)); }
    case SQUARE: { return v * v; }
    case RECIPROCAL: { return 1.0 / v; }
    case ERF: { return errorFunction(v); }
    case SCALE: { return v * params.low + params.high; }
    default: { return v; }
  }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flatIndex(global, groups);
  if (i < params.count) {
    y[i] = Stored1(apply(Element(x[i])));
  }
}
