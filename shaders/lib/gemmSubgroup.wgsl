// Matrix product core for software adapters: no workgroup memory, no barriers.
//
// One subgroup of LANES (4 or 8) invocations makes a block of 16 rows and 4 * LANES columns. Each lane owns four
// columns in vec4 accumulators. For four steps of k the 16 x 4 block of A is loaded once by the subgroup (lane l
// holds rows 4l..4l+3) and handed around by subgroupBroadcast. Measured on 2 cores against an 8x8 register tile:
// 8.2 instead of 5.3 GFLOP/s on SwiftShader, 37 instead of 16 on lavapipe.
//
// Expects LANES, A_ALONG_K, B_ALONG_K, SPLIT_K from the variant; from the kernel: gemmRows, gemmCols, gemmDepth,
// rowA, depthA, loadA, colB, depthB, loadB, storeC (see shaders/matmul.wgsl).

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let rowBlocks = (gemmRows() + 15u) / 16u;
  let colBlocks = (gemmCols() + 4u * LANES - 1u) / (4u * LANES);
  let tile = group.y * groups.x + group.x;
  if (tile >= rowBlocks * colBlocks) {
    return;
  }
  let slice = group.z;
  let row = (tile / colBlocks) * 16u;
  let col = (tile % colBlocks) * 4u * LANES + local * 4u;
  let kRange = depthRange(slice);

  let ownRow = row + (local % 4u) * 4u;
  let rowA0 = rowA(slice, ownRow);
  let rowA1 = rowA(slice, ownRow + 1u);
  let rowA2 = rowA(slice, ownRow + 2u);
  let rowA3 = rowA(slice, ownRow + 3u);
  let colB0 = colB(slice, col);
  let colB1 = colB(slice, col + 1u);
  let colB2 = colB(slice, col + 2u);
  let colB3 = colB(slice, col + 3u);

  var c0 = vec4<f32>(0.0); var c1 = vec4<f32>(0.0); var c2 = vec4<f32>(0.0); var c3 = vec4<f32>(0.0);
  var c4 = vec4<f32>(0.0); var c5 = vec4<f32>(0.0); var c6 = vec4<f32>(0.0); var c7 = vec4<f32>(0.0);
  var c8 = vec4<f32>(0.0); var c9 = vec4<f32>(0.0); var c10 = vec4<f32>(0.0); var c11 = vec4<f32>(0.0);
  var c12 = vec4<f32>(0.0); var c13 = vec4<f32>(0.0); var c14 = vec4<f32>(0.0); var c15 = vec4<f32>(0.0);

  for (var k = kRange.x; k < kRange.y; k += 4u) {
    var a: mat4x4<f32>;
    if (A_ALONG_K) {
      let depth = depthA(slice, k, kRange.y);
      a = mat4x4<f32>(loadA(rowA0, depth), loadA(rowA1, depth), loadA(rowA2, depth), loadA(rowA3, depth));
    } else {
      a = transpose(mat4x4<f32>(
        loadA(rowA0, depthA(slice, k, kRange.y)),
        loadA(rowA0, depthA(slice, k + 1u, kRange.y)),
        loadA(rowA0, depthA(slice, k + 2u, kRange.y)),
        loadA(rowA0, depthA(slice, k + 3u, kRange.y)),
      ));
    }
    var b: mat4x4<f32>;
    if (B_ALONG_K) {
      let depth = depthB(slice, k, kRange.y);
      b = transpose(mat4x4<f32>(loadB(colB0, depth), loadB(colB1, depth), loadB(colB2, depth), loadB(colB3, depth)));
    } else {
      b = mat4x4<f32>(
        loadB(colB0, depthB(slice, k, kRange.y)),
        loadB(colB0, depthB(slice, k + 1u, kRange.y)),
        loadB(colB0, depthB(slice, k + 2u, kRange.y)),
        loadB(colB0, depthB(slice, k + 3u, kRange.y)),
      );
    }
    c0 += b * subgroupBroadcast(a[0], 0u); c1 += b * subgroupBroadcast(a[1], 0u);
    c2 += b * subgroupBroadcast(a[2], 0u); c3 += b * subgroupBroadcast(a[3], 0u);
    c4 += b * subgroupBroadcast(a[0], 1u); c5 += b * subgroupBroadcast(a[1], 1u);
    c6 += b * subgroupBroadcast(a[2], 1u); c7 += b * subgroupBroadcast(a[3], 1u);
    c8 += b * subgroupBroadcast(a[0], 2u); c9 += b * subgroupBroadcast(a[1], 2u);
    c10 += b * subgroupBroadcast(a[2], 2u); c11 += b * subgroupBroadcast(a[3], 2u);
    c12 += b * subgroupBroadcast(a[0], 3u); c13 += b * subgroupBroadcast(a[1], 3u);
    c14 += b * subgroupBroadcast(a[2], 3u); c15 += b * subgroupBroadcast(a[3], 3u);
  }

  storeC(slice, row, col, c0); storeC(slice, row + 1u, col, c1);
  storeC(slice, row + 2u, col, c2); storeC(slice, row + 3u, col, c3);
  storeC(slice, row + 4u, col, c4); storeC(slice, row + 5u, col, c5);
  storeC(slice, row + 6u, col, c6); storeC(slice, row + 7u, col, c7);
  storeC(slice, row + 8u, col, c8); storeC(slice, row + 9u, col, c9);
  storeC(slice, row + 10u, col, c10); storeC(slice, row + 11u, col, c11);
  storeC(slice, row + 12u, col, c12); storeC(slice, row + 13u, col, c13);
  storeC(slice, row + 14u, col, c14); storeC(slice, row + 15u, col, c15);
}
