// Sums the token vectors of each sentence, and averages the sentences of a report.
//
// One invocation owns one column of Elements of one report and walks its tokens once, adding each to the sentence it
// belongs to: no two invocations touch the same element, so the sums have a fixed order without atomics.
// bindings: 0 hidden [reports, tokens, width], 1 ids [reports, tokens], 2 weights [reports, sentences],
//   3 share [reports] (read), 4 pooled [reports, sentences, width], 5 mean [reports, width] (write)
// params: reports, tokens, sentences, width (in Elements)

@group(0) @binding(0) var<storage, read> hidden: array<Element>;
@group(0) @binding(1) var<storage, read> ids: array<i32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read> share: array<f32>;
@group(0) @binding(4) var<storage, read_write> pooled: array<Element>;
@group(0) @binding(5) var<storage, read_write> mean: array<Element>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flatIndex(global, groups);
  if (i >= params.reports * params.width) {
    return;
  }
  let report = i / params.width;
  let column = i % params.width;
  let first = report * params.sentences * params.width + column;
  for (var p = 0u; p < params.sentences; p++) {
    pooled[first + p * params.width] = Element(0.0);
  }
  for (var s = 0u; s < params.tokens; s++) {
    let token = report * params.tokens + s;
    let id = ids[token];
    if (id >= 0 && id < i32(params.sentences)) {
      pooled[first + u32(id) * params.width] += hidden[token * params.width + column];
    }
  }
  var total = Element(0.0);
  for (var p = 0u; p < params.sentences; p++) {
    let value = pooled[first + p * params.width] * weights[report * params.sentences + p];
    pooled[first + p * params.width] = value;
    total += value;
  }
  mean[i] = total * share[report];
}
