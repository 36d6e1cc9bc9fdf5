// Input gradient of the maximum pooling.
//
// Algorithm: one invocation per input Element gathers from the windows that hold it, in a fixed order: no atomics.
// bindings: 0 dy, 1 position, as written by maxPool2d.wgsl (read), 2 dx (write)
// params: count (input Elements), columns (Elements per pixel), and those of lib/poolWindow.wgsl

@group(0) @binding(0) var<storage, read> dy: array<Stored0>;
@group(0) @binding(1) var<storage, read> positions: array<ElementBits>;
@group(0) @binding(2) var<storage, read_write> dx: array<Stored2>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flatIndex(global, groups);
  if (i >= params.count) {
    return;
  }
  let at = pixelAt(i, params.height, params.width, params.columns);
  let rows = windowRowsOver(at.y);
  let cols = windowColsOver(at.x);
  let own = ElementBits(u32(at.y * params.width + at.x));
  var total = Element(0.0);
  for (var oy = rows.begin; oy < rows.end; oy += 1) {
    for (var ox = cols.begin; ox < cols.end; ox += 1) {
      let o = elementAt(at.image, oy, ox, at.column, params.outHeight, params.outWidth, params.columns);
      total += select(Element(0.0), Element(dy[o]), positions[o] == own);
    }
  }
  dx[i] = Stored2(total);
}
