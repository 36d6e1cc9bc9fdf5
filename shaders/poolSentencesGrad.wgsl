// Gradient of sentence pooling: every token takes the gradient of its sentence and its share of the report's.
//
// dHidden = weight * (dPooled + share * dMean) for tokens of a sentence, 0 for the others; one Element per invocation.
// bindings: 0 dPooled [reports, sentences, width], 1 dMean [reports, width], 2 ids [reports, tokens],
//   3 weights [reports, sentences], 4 share [reports] (read), 5 dHidden [reports, tokens, width] (write)
// params: reports, tokens, sentences, width (in Elements)

@group(0) @binding(0) var<storage, read> dPooled: array<Element>;
@group(0) @binding(1) var<storage, read> dMean: array<Element>;
@group(0) @binding(2) var<storage, read> ids: array<i32>;
@group(0) @binding(3) var<storage, read> weights: array<f32>;
@group(0) @binding(4) var<storage, read> share: array<f32>;
@group(0) @binding(5) var<storage, read_write> dHidden: array<Element>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flatIndex(global, groups);
  if (i >= params.reports * params.tokens * params.width) {
    return;
  }
  let token = i / params.width;
  let column = i % params.width;
  let report = token / params.tokens;
  let id = ids[token];
  var value = Element(0.0);
  if (id >= 0 && id < i32(params.sentences)) {
    let sentence = report * params.sentences + u32(id);
    value = weights[sentence]
      * (dPooled[sentence * params.width + column] + share[report] * dMean[report * params.width + column]);
  }
  dHidden[i] = value;
}
