// One step of Adam (Kingma and Ba 2015, algorithm 1) or AdamW (Loshchilov and Hutter 2019) for a flat segment.
//
// Everything that changes from step to step lies in `hyper`, computed in double precision on the host, and in `clip`,
// computed on the GPU. Nothing is updated if a gradient was not finite.
// bindings: 0 hyper (read): see below, 1 clip (read): norm, factor, non-finite count, 2 grads (read),
//           3 values, 4 first moments, 5 second moments (write)
// params: count (vec4)

struct Hyper {
  stepSize: f32,        // learning rate / (1 - beta1^t)
  inverseRootCorrection: f32, // 1 / sqrt(1 - beta2^t)
  beta1: f32,
  oneMinusBeta1: f32,
  beta2: f32,
  oneMinusBeta2: f32,
  eps: f32,
  weightDecay: f32,     // added to the gradient (Adam)
  shrink: f32,          // learning rate * weight decay, taken off the value (AdamW)
}

@group(0) @binding(0) var<storage, read> hyper: Hyper;
@group(0) @binding(1) var<storage, read> clip: array<f32>;
@group(0) @binding(2) var<storage, read> grads: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> values: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> firstMoments: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> secondMoments: array<vec4<f32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flatIndex(global, groups);
  if (i >= params.count || clip[2] > 0.0) {
    return;
  }
  let value = values[i];
  let grad = grads[i] * clip[1] + hyper.weightDecay * value;
  let first = hyper.beta1 * firstMoments[i] + hyper.oneMinusBeta1 * grad;
  let second = hyper.beta2 * secondMoments[i] + hyper.oneMinusBeta2 * (grad * grad);
  let denominator = sqrt(second) * hyper.inverseRootCorrection + hyper.eps;
  firstMoments[i] = first;
  secondMoments[i] = second;
  // One subtraction: 1 - learning rate * decay would be rounded by more than the decay itself.
  values[i] = value - (hyper.shrink * value + hyper.stepSize * first / denominator);
}
