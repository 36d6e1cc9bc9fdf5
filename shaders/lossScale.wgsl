// Takes the loss scale out of a gradient norm and moves the scale (Micikevicius et al., arXiv 1710.03740, section 3.2):
// halved when a gradient was not finite, doubled after `growAfter` good steps in a row.
//
// One invocation.
// bindings: 0 state (write): scale, good steps in a row, 1 clip (write): norm, factor, non-finite count
// params: maxNorm (0: no clipping), growAfter

const SMALLEST: f32 = 1.0;
const LARGEST: f32 = 16777216.0;

@group(0) @binding(0) var<storage, read_write> state: array<f32>;
@group(0) @binding(1) var<storage, read_write> clip: array<f32>;

@compute @workgroup_size(1)
fn main() {
  let scale = state[0];
  let norm = clip[0] / scale;
  var factor = 1.0;
  if (params.maxNorm > 0.0) {
    factor = min(1.0, params.maxNorm / (norm + 1e-6));
  }
  clip[0] = norm;
  clip[1] = factor / scale;
  let good = state[1] + 1.0;
  if (clip[2] > 0.0) {
    state[0] = max(0.5 * scale, SMALLEST);
    state[1] = 0.0;
  } else if (good < f32(params.growAfter)) {
    state[1] = good;
  } else {
    state[0] = min(2.0 * scale, LARGEST);
    state[1] = 0.0;
  }
}
