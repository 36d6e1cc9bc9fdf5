// Gradient of contrastSentences.wgsl, in place: d = x (d - sum over sentences of x d).
//
// One invocation per (report of the tile, image and region).
// bindings: 0 x [reports * sentences, columns] (read), 1 d (read and write)
// params: reports, sentences, columns

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> d: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let index = flatIndex(global, groups);
  if (index >= params.reports * params.columns) {
    return;
  }
  let start = (index / params.columns) * params.sentences * params.columns + index % params.columns;
  var mean = 0.0;
  for (var p = 0u; p < params.sentences; p++) {
    mean += x[start + p * params.columns] * d[start + p * params.columns];
  }
  for (var p = 0u; p < params.sentences; p++) {
    let at = start + p * params.columns;
    d[at] = x[at] * (d[at] - mean);
  }
}
