// First stage of the global gradient norm: sum of squares and number of non-finite elements of each chunk.
//
// Algorithm: one chunk of CHUNK vec4 per invocation (lib/rowSerial.wgsl) or per workgroup (lib/rowWorkgroup.wgsl);
// sums run in blocks of 64 vec4 per lane, so that rounding grows with the number of blocks and not of elements.
// Non-finite numbers are recognised by their bits: shader compilers may assume that there are none.
// bindings: 0 x (read), 1 partials (write): from `first` on, a pair (sum of squares, non-finite count) for each chunk
// params: count (vec4 of x), chunks, first

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> partials: array<vec2<f32>>;

const BLOCK: u32 = 64u;
const EXPONENT: vec4<u32> = vec4<u32>(0x7f800000u);

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(global_invocation_id) global: vec3<u32>,
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let chunk = rowIndex(global, group, groups);
  let lane = laneIndex(local);
  if (chunk >= params.chunks) {
    return;
  }
  let end = min(params.count, (chunk + 1u) * CHUNK);
  var squares = vec4<f32>(0.0);
  var broken = vec4<f32>(0.0);
  for (var block = chunk * CHUNK; block < end; block += BLOCK * LANES) {
    var partial = vec4<f32>(0.0);
    let blockEnd = min(end, block + BLOCK * LANES);
    for (var i = block + lane; i < blockEnd; i += LANES) {
      let value = x[i];
      let finite = (bitcast<vec4<u32>>(value) & EXPONENT) != EXPONENT;
      partial += select(vec4<f32>(0.0), value * value, finite);
      broken += select(vec4<f32>(1.0), vec4<f32>(0.0), finite);
    }
    squares += partial;
  }
  let total = rowSum((squares.x + squares.y) + (squares.z + squares.w), lane);
  let brokenTotal = rowSum((broken.x + broken.y) + (broken.z + broken.w), lane);
  if (lane == 0u) {
    partials[params.first + chunk] = vec2<f32>(total, brokenTotal);
  }
}
