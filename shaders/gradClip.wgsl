// Multiplies gradients in place by the clip factor that lies on the GPU.
//
// bindings: 0 clip (read): norm, factor, non-finite count, 1 grads (write)
// params: count (vec4)

@group(0) @binding(0) var<storage, read> clip: array<f32>;
@group(0) @binding(1) var<storage, read_write> grads: array<vec4<f32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flatIndex(global, groups);
  if (i < params.count) {
    grads[i] *= clip[1];
  }
}
