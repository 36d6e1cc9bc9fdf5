// As lib/gemmSubgroup.wgsl with eight columns per lane: every row of A that is handed around meets two blocks of B.
// 7.5 instead of 6.0 GFLOP/s on SwiftShader; on lavapipe the registers spill and it is slower.
//
// A subgroup makes 16 rows and 8 * LANES columns; a lane owns the columns from `col` and those from `far`.

fn blockB(slice: u32, col: u32, k: u32, kEnd: u32) -> mat4x4<f32> {
  if (B_ALONG_K) {
    let depth = depthB(slice, k, kEnd);
    return transpose(mat4x4<f32>(
      loadB(colB(slice, col), depth),
      loadB(colB(slice, col + 1u), depth),
      loadB(colB(slice, col + 2u), depth),
      loadB(colB(slice, col + 3u), depth),
    ));
  }
  let columns = colB(slice, col);
  return mat4x4<f32>(
    loadB(columns, depthB(slice, k, kEnd)),
    loadB(columns, depthB(slice, k + 1u, kEnd)),
    loadB(columns, depthB(slice, k + 2u, kEnd)),
    loadB(columns, depthB(slice, k + 3u, kEnd)),
  );
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let rowBlocks = (gemmRows() + 15u) / 16u;
  let colBlocks = (gemmCols() + 8u * LANES - 1u) / (8u * LANES);
  let tile = group.y * groups.x + group.x;
  if (tile >= rowBlocks * colBlocks) {
    return;
  }
  let slice = group.z;
  let row = (tile / colBlocks) * 16u;
  let col = (tile % colBlocks) * 8u * LANES + local * 4u;
  let far = col + 4u * LANES;
  let kRange = depthRange(slice);

  let ownRow = row + (local % 4u) * 4u;
  let rowA0 = rowA(slice, ownRow);
  let rowA1 = rowA(slice, ownRow + 1u);
  let rowA2 = rowA(slice, ownRow + 2u);
  let rowA3 = rowA(slice, ownRow + 3u);

  var l0 = vec4<f32>(0.0); var r0 = vec4<f32>(0.0); var l1 = vec4<f32>(0.0); var r1 = vec4<f32>(0.0);
  var l2 = vec4<f32>(0.0); var r2 = vec4<f32>(0.0); var l3 = vec4<f32>(0.0); var r3 = vec4<f32>(0.0);
  var l4 = vec4<f32>(0.0); var r4 = vec4<f32>(0.0); var l5 = vec4<f32>(0.0); var r5 = vec4<f32>(0.0);
  var l6 = vec4<f32>(0.0); var r6 = vec4<f32>(0.0); var l7 = vec4<f32>(0.0); var r7 = vec4<f32>(0.0);
  var l8 = vec4<f32>(0.0); var r8 = vec4<f32>(0.0); var l9 = vec4<f32>(0.0); var r9 = vec4<f32>(0.0);
  var l10 = vec4<f32>(0.0); var r10 = vec4<f32>(0.0); var l11 = vec4<f32>(0.0); var r11 = vec4<f32>(0.0);
  var l12 = vec4<f32>(0.0); var r12 = vec4<f32>(0.0); var l13 = vec4<f32>(0.0); var r13 = vec4<f32>(0.0);
  var l14 = vec4<f32>(0.0); var r14 = vec4<f32>(0.0); var l15 = vec4<f32>(0.0); var r15 = vec4<f32>(0.0);

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
    let left = blockB(slice, col, k, kRange.y);
    let right = blockB(slice, far, k, kRange.y);
    let v0 = subgroupBroadcast(a[0], 0u); l0 += left * v0; r0 += right * v0;
    let v1 = subgroupBroadcast(a[1], 0u); l1 += left * v1; r1 += right * v1;
    let v2 = subgroupBroadcast(a[2], 0u); l2 += left * v2; r2 += right * v2;
    let v3 = subgroupBroadcast(a[3], 0u); l3 += left * v3; r3 += right * v3;
    let v4 = subgroupBroadcast(a[0], 1u); l4 += left * v4; r4 += right * v4;
    let v5 = subgroupBroadcast(a[1], 1u); l5 += left * v5; r5 += right * v5;
    let v6 = subgroupBroadcast(a[2], 1u); l6 += left * v6; r6 += right * v6;
    let v7 = subgroupBroadcast(a[3], 1u); l7 += left * v7; r7 += right * v7;
    let v8 = subgroupBroadcast(a[0], 2u); l8 += left * v8; r8 += right * v8;
    let v9 = subgroupBroadcast(a[1], 2u); l9 += left * v9; r9 += right * v9;
    let v10 = subgroupBroadcast(a[2], 2u); l10 += left * v10; r10 += right * v10;
    let v11 = subgroupBroadcast(a[3], 2u); l11 += left * v11; r11 += right * v11;
    let v12 = subgroupBroadcast(a[0], 3u); l12 += left * v12; r12 += right * v12;
    let v13 = subgroupBroadcast(a[1], 3u); l13 += left * v13; r13 += right * v13;
    let v14 = subgroupBroadcast(a[2], 3u); l14 += left * v14; r14 += right * v14;
    let v15 = subgroupBroadcast(a[3], 3u); l15 += left * v15; r15 += right * v15;
  }

  storeC(slice, row + 0u, col, l0); storeC(slice, row + 0u, far, r0);
  storeC(slice, row + 1u, col, l1); storeC(slice, row + 1u, far, r1);
  storeC(slice, row + 2u, col, l2); storeC(slice, row + 2u, far, r2);
  storeC(slice, row + 3u, col, l3); storeC(slice, row + 3u, far, r3);
  storeC(slice, row + 4u, col, l4); storeC(slice, row + 4u, far, r4);
  storeC(slice, row + 5u, col, l5); storeC(slice, row + 5u, far, r5);
  storeC(slice, row + 6u, col, l6); storeC(slice, row + 6u, far, r6);
  storeC(slice, row + 7u, col, l7); storeC(slice, row + 7u, far, r7);
  storeC(slice, row + 8u, col, l8); storeC(slice, row + 8u, far, r8);
  storeC(slice, row + 9u, col, l9); storeC(slice, row + 9u, far, r9);
  storeC(slice, row + 10u, col, l10); storeC(slice, row + 10u, far, r10);
  storeC(slice, row + 11u, col, l11); storeC(slice, row + 11u, far, r11);
  storeC(slice, row + 12u, col, l12); storeC(slice, row + 12u, far, r12);
  storeC(slice, row + 13u, col, l13); storeC(slice, row + 13u, far, r13);
  storeC(slice, row + 14u, col, l14); storeC(slice, row + 14u, far, r14);
  storeC(slice, row + 15u, col, l15); storeC(slice, row + 15u, far, r15);
}
