// Input gradient of the bilinear resize.
//
// Algorithm: one invocation per input Element gathers from the outputs in which it has a share, row by row in a fixed
// order: no atomics.
// bindings: 0 dy (read), 1 dx (write)
// params: those of resizeBilinear.wgsl with count in input Elements

@group(0) @binding(0) var<storage, read> dy: array<Element>;
@group(0) @binding(1) var<storage, read_write> dx: array<Element>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flatIndex(global, groups);
  if (i >= params.count) {
    return;
  }
  let at = pixelAt(i, params.height, params.width, params.columns);
  let rows = outputsNear(at.y, params.height, params.outHeight, params.numeratorY, params.shiftY, params.denominatorY);
  let cols = outputsNear(at.x, params.width, params.outWidth, params.numeratorX, params.shiftX, params.denominatorX);
  var total = Element(0.0);
  for (var oy = rows.x; oy < rows.y; oy += 1) {
    let rowTap = tapOf(oy, params.height, params.numeratorY, params.shiftY, params.denominatorY);
    var rowTotal = Element(0.0);
    for (var ox = cols.x; ox < cols.y; ox += 1) {
      let colTap = tapOf(ox, params.width, params.numeratorX, params.shiftX, params.denominatorX);
      let o = elementAt(at.image, oy, ox, at.column, params.outHeight, params.outWidth, params.columns);
      rowTotal += dy[o] * shareOf(at.x, colTap);
    }
    total += rowTotal * shareOf(at.y, rowTap);
  }
  dx[i] = total;
}
