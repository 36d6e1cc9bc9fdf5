// Second stage of the parameter gradients of batch and layer norm: adds spans of the chunks of normGradSums.wgsl.
//
// Algorithm: one invocation per span and column of Elements, in order; sum(dy) keeps what rounding takes.
// bindings: 0 x [3, length, channels] (read), 1 y [3, spans, channels] (write): sums of dy, of dy * xhat, and what
//           rounding took from the first; lib/normTargets.wgsl may store them elsewhere too
// params: columns (Elements per row), length, span, spans, zero

@group(0) @binding(0) var<storage, read> x: array<Element>;
@group(0) @binding(1) var<storage, read_write> y: array<Element>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flatIndex(global, groups);
  let columns = params.columns;
  if (i >= params.spans * columns) {
    return;
  }
  let begin = (i / columns) * params.span;
  let end = min(params.length, begin + params.span);
  let size = params.length * columns;
  var plain = Sum(Element(0.0), Element(0.0));
  var weighted = Element(0.0);
  for (var chunk = begin; chunk < end; chunk += 1u) {
    let at = chunk * columns + i % columns;
    plain = addTo(plain, x[at]);
    weighted += x[size + at];
    plain.low += x[2u * size + at];
  }
  let result = settled(plain);
  let step = params.spans * columns;
  y[i] = result.high;
  y[step + i] = weighted;
  y[2u * step + i] = result.low;
  storeGradients(i, weighted, result.high);
}
