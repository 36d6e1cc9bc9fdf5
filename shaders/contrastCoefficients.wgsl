// Turns the gradients of scores into coefficients of matrix products with the features.
//
// With w = terms.x a + ds (COSINE: ds / (max(|V|, eps) max(|T|, eps))), the products w V and w^T T are what reaches T
// and V directly; scaled = terms.y a is the coefficient of c in the gradient of V; along sums ds * cosine / |V|^2, the
// part along V that the normalisation of scores takes out again.
// One invocation per (image, region) walks the sentences of the tile.
// Layout: d (ds in, w out) and s [rows, images, regions]; a, scaled [images, rows, regions]; terms [images, total].
// bindings: 0 d (read and write), 1 s, 2 a, 3 terms, 4 normsV [images * regions] (read), 5 scaled (write),
//   6 along [images * regions] (read and write, COSINE only)
// params: rows, images, regions, rowOffset, total, eps

const COSINE: u32 = 1u;

@group(0) @binding(0) var<storage, read_write> d: array<f32>;
@group(0) @binding(1) var<storage, read> s: array<f32>;
@group(0) @binding(2) var<storage, read> a: array<f32>;
@group(0) @binding(3) var<storage, read> terms: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> normsV: array<f32>;
@group(0) @binding(5) var<storage, read_write> scaled: array<f32>;
@group(0) @binding(6) var<storage, read_write> along: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let column = flatIndex(global, groups);
  if (column >= params.images * params.regions) {
    return;
  }
  let image = column / params.regions;
  let region = column % params.regions;
  let norm = normsV[column];
  let inverse = 1.0 / max(norm, params.eps);
  var sum = 0.0;
  for (var r = 0u; r < params.rows; r++) {
    let place = r * params.images * params.regions + column;
    let own = (image * params.rows + r) * params.regions + region;
    let term = terms[image * params.total + params.rowOffset + r];
    var score = d[place];
    if (OP == COSINE) {
      score = score * (term.z * inverse);
      sum += score * s[place];
    }
    d[place] = term.x * a[own] + score;
    scaled[own] = term.y * a[own];
  }
  if (OP == COSINE && norm > params.eps) {
    along[column] += sum * inverse * inverse;
  }
}
