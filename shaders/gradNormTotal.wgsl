// Second stage of the global gradient norm: adds the chunks up and derives the factor that clips the gradients.
//
// bindings: 0 partials (read): pairs (sum of squares, non-finite count), 1 result (write): norm, factor, non-finite count
// params: count (pairs), maxNorm (0: no clipping)

@group(0) @binding(0) var<storage, read> partials: array<vec2<f32>>;
@group(0) @binding(1) var<storage, read_write> result: array<f32>;

const BLOCK: u32 = 64u;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(global_invocation_id) global: vec3<u32>,
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let lane = laneIndex(local);
  if (rowIndex(global, group, groups) > 0u) {
    return;
  }
  var sums = vec2<f32>(0.0);
  for (var block = 0u; block < params.count; block += BLOCK * LANES) {
    var partial = vec2<f32>(0.0);
    let end = min(params.count, block + BLOCK * LANES);
    for (var i = block + lane; i < end; i += LANES) {
      partial += partials[i];
    }
    sums += partial;
  }
  let squares = rowSum(sums.x, lane);
  let broken = rowSum(sums.y, lane);
  if (lane == 0u) {
    // A sum of squares that overflowed is no norm either.
    let overflowed = (bitcast<u32>(squares) & 0x7f800000u) == 0x7f800000u;
    let norm = sqrt(squares);
    var factor = 1.0;
    if (params.maxNorm > 0.0) {
      factor = min(1.0, params.maxNorm / (norm + 1e-6));
    }
    result[0] = norm;
    result[1] = factor;
    result[2] = broken + select(0.0, 1.0, overflowed);
  }
}
