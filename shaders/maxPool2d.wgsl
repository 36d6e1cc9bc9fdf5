// Maximum over windows of [batch, height, width, channels], and where in the image it lies.
//
// Algorithm: one invocation per output Element. Windows are clipped to the image, so padding can never win; the first
// maximum in row-major order does.
// bindings: 0 x (read), 1 y, 2 position: row * width + column of the maximum (write)
// params: count (output Elements), columns (Elements per pixel), and those of lib/poolWindow.wgsl

@group(0) @binding(0) var<storage, read> x: array<Stored0>;
@group(0) @binding(1) var<storage, read_write> y: array<Stored1>;
@group(0) @binding(2) var<storage, read_write> positions: array<ElementBits>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flatIndex(global, groups);
  if (i >= params.count) {
    return;
  }
  let at = pixelAt(i, params.outHeight, params.outWidth, params.columns);
  let rows = windowRows(at.y);
  let cols = windowCols(at.x);
  let image = elementAt(at.image, 0, 0, at.column, params.height, params.width, params.columns);
  var position = u32(rows.begin * params.width + cols.begin);
  var best = Element(x[image + position * u32(params.columns)]);
  var bestPosition = ElementBits(position);
  for (var iy = rows.begin; iy < rows.end; iy += 1) {
    for (var ix = cols.begin; ix < cols.end; ix += 1) {
      position = u32(iy * params.width + ix);
      let value = Element(x[image + position * u32(params.columns)]);
      bestPosition = select(bestPosition, ElementBits(position), value > best);
      best = max(best, value);
    }
  }
  y[i] = Stored1(best);
  positions[i] = bestPosition;
}
