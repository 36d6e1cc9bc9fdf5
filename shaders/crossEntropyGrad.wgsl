// Gradient of the cross entropy: (softmax(x) - onehot(label)) * dy * scale. One element per invocation.
//
// bindings: 0 logits (read), 1 labels (read), 2 stats (read; see crossEntropy.wgsl), 3 dy (read), 4 dx (write)
// params: count, classes, scale (1 / rows for the mean), perRow (1: dy has one element per row, 0: one in all)

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<i32>;
@group(0) @binding(2) var<storage, read> stats: array<vec2<f32>>;
@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flatIndex(global, groups);
  if (i >= params.count) {
    return;
  }
  let row = i / params.classes;
  let stat = stats[row];
  let label = u32(clamp(labels[row], 0i, i32(params.classes) - 1i));
  let expected = select(0.0, 1.0, i - row * params.classes == label);
  dx[i] = (exp(logits[i] - stat.x) / stat.y - expected) * (dy[row * params.perRow] * params.scale);
}
