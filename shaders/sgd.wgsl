// One step of stochastic gradient descent with momentum and L2 weight decay for a flat segment:
// velocity = momentum * velocity + gradient; value -= learning rate * velocity.
//
// bindings: 0 hyper (read): learning rate, momentum, weight decay, 1 clip (read): norm, factor, non-finite count,
//           2 grads (read), 3 values, 4 velocities (write)
// params: count (vec4)

@group(0) @binding(0) var<storage, read> hyper: array<f32>;
@group(0) @binding(1) var<storage, read> clip: array<f32>;
@group(0) @binding(2) var<storage, read> grads: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> values: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> velocities: array<vec4<f32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flatIndex(global, groups);
  if (i >= params.count || clip[2] > 0.0) {
    return;
  }
  let value = values[i];
  let velocity = hyper[1] * velocities[i] + (grads[i] * clip[1] + hyper[2] * value);
  velocities[i] = velocity;
  values[i] = value - hyper[0] * velocity;
}
