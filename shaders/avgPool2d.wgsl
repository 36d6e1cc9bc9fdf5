// Mean over windows of [batch, height, width, channels]; ADAPTIVE: over windows that divide the image evenly.
//
// Algorithm: one invocation per output Element; the rows of a window are summed apart, so that rounding stays small in
// large windows.
// bindings: 0 x (read), 1 y (write)
// params: count (output Elements), columns (Elements per pixel), and those of lib/poolWindow.wgsl

@group(0) @binding(0) var<storage, read> x: array<Element>;
@group(0) @binding(1) var<storage, read_write> y: array<Element>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flatIndex(global, groups);
  if (i >= params.count) {
    return;
  }
  let at = pixelAt(i, params.outHeight, params.outWidth, params.columns);
  let rows = windowRows(at.y);
  let cols = windowCols(at.x);
  var total = Element(0.0);
  for (var iy = rows.begin; iy < rows.end; iy += 1) {
    var rowTotal = Element(0.0);
    for (var ix = cols.begin; ix < cols.end; ix += 1) {
      rowTotal += x[elementAt(at.image, iy, ix, at.column, params.height, params.width, params.columns)];
    }
    total += rowTotal;
  }
  y[i] = total / windowArea(rows, cols);
}
