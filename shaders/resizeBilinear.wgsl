// Bilinear resize of [batch, height, width, channels], without antialiasing.
//
// Algorithm: one invocation per output Element blends the four inputs around its source position.
// bindings: 0 x (read), 1 y (write)
// params: count (output Elements), columns (Elements per pixel), height, width, outHeight, outWidth, and per axis the
//         numerator, shift and denominator of lib/bilinearTap.wgsl

@group(0) @binding(0) var<storage, read> x: array<Element>;
@group(0) @binding(1) var<storage, read_write> y: array<Element>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flatIndex(global, groups);
  if (i >= params.count) {
    return;
  }
  let at = pixelAt(i, params.outHeight, params.outWidth, params.columns);
  let rows = tapOf(at.y, params.height, params.numeratorY, params.shiftY, params.denominatorY);
  let cols = tapOf(at.x, params.width, params.numeratorX, params.shiftX, params.denominatorX);
  let upper = elementAt(at.image, rows.low, 0, at.column, params.height, params.width, params.columns);
  let lower = elementAt(at.image, rows.high, 0, at.column, params.height, params.width, params.columns);
  let left = u32(cols.low * params.columns);
  let right = u32(cols.high * params.columns);
  let top = x[upper + left] * (1.0 - cols.weight) + x[upper + right] * cols.weight;
  let bottom = x[lower + left] * (1.0 - cols.weight) + x[lower + right] * cols.weight;
  y[i] = top * (1.0 - rows.weight) + bottom * rows.weight;
}
