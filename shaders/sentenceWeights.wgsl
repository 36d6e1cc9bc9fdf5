// Which sentences of a report exist, and what their tokens weigh: the bookkeeping of sentence pooling.
//
// One invocation per report counts the tokens of each sentence in mask[] and then turns the counts into
// mask = 1 (the sentence has a token) or 0, weights = 1 (MEAN: 1 / tokens) or 0, and share = 1 / sentences (0 if none).
// bindings: 0 ids [reports, tokens] (read), 1 mask, 2 weights [reports, sentences] (write), 3 share [reports] (write)
// params: reports, tokens, sentences

@group(0) @binding(0) var<storage, read> ids: array<i32>;
@group(0) @binding(1) var<storage, read_write> mask: array<i32>;
@group(0) @binding(2) var<storage, read_write> weights: array<f32>;
@group(0) @binding(3) var<storage, read_write> share: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let report = flatIndex(global, groups);
  if (report >= params.reports) {
    return;
  }
  let first = report * params.sentences;
  for (var p = 0u; p < params.sentences; p++) {
    mask[first + p] = 0;
  }
  for (var s = 0u; s < params.tokens; s++) {
    let id = ids[report * params.tokens + s];
    if (id >= 0 && id < i32(params.sentences)) {
      mask[first + u32(id)] += 1;
    }
  }
  var found = 0u;
  for (var p = 0u; p < params.sentences; p++) {
    let count = mask[first + p];
    var weight = f32(min(count, 1));
    if (MEAN) {
      weight = weight / f32(max(count, 1));
    }
    found += u32(min(count, 1));
    mask[first + p] = min(count, 1);
    weights[first + p] = weight;
  }
  share[report] = select(1.0 / f32(max(found, 1u)), 0.0, found == 0u);
}
