// Peak of memory traffic: copies an array that is larger than the caches, one vec4 per invocation.
// bindings: 0 x (read), 1 y (write). params: count, in vec4.

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = global.y * (groups.x * 256u) + global.x;
  if (i < params.count) {
    y[i] = x[i];
  }
}
