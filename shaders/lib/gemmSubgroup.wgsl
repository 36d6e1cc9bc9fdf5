// Matrix product core for software adapters: no workgroup memory, no barriers.
//
// One subgroup of LANES (4 or 8) invocations makes a block of 16 rows and COLS4 (1, 2 or 4) bands of 4 * LANES columns;
// each lane owns a vec4 of columns in every band. For four steps of k the 16 x 4 block of A is loaded once by the subgroup
// (lane l holds rows 4l..4l+3) and handed around by subgroupBroadcast; a row that is handed around meets every band.
// Which width pays is in docs/decisions/matrix-product-cores.md.
//
// Expects LANES, COLS4, A_ALONG_K, B_ALONG_K from the variant; from the kernel: gemmRows, gemmCols, depthRange, rowA,
// depthA, loadA, colB, depthB, loadB, storeC (see shaders/matmul.wgsl).

const BAND: u32 = 4u * LANES;
// Bands that a narrower block does not have are never added to; their places only have to exist.
const SECOND: u32 = min(1u, COLS4 - 1u);
const THIRD: u32 = min(2u, COLS4 - 1u);
const FOURTH: u32 = min(3u, COLS4 - 1u);

alias Bands = array<vec4<f32>, COLS4>;

// Four steps of four columns, a column of the matrix per step.
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

fn multiplyAdd(
  row: ptr<function, Bands>,
  b0: mat4x4<f32>,
  b1: mat4x4<f32>,
  b2: mat4x4<f32>,
  b3: mat4x4<f32>,
  steps: vec4<f32>,
) {
  (*row)[0] += b0 * steps;
  if (COLS4 > 1u) {
    (*row)[SECOND] += b1 * steps;
  }
  if (COLS4 > 2u) {
    (*row)[THIRD] += b2 * steps;
    (*row)[FOURTH] += b3 * steps;
  }
}

fn storeRow(slice: u32, row: u32, col: u32, values: Bands) {
  storeC(slice, row, col, values[0]);
  if (COLS4 > 1u) {
    storeC(slice, row, col + BAND, values[SECOND]);
  }
  if (COLS4 > 2u) {
    storeC(slice, row, col + 2u * BAND, values[THIRD]);
    storeC(slice, row, col + 3u * BAND, values[FOURTH]);
  }
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let rowBlocks = (gemmRows() + 15u) / 16u;
  let colBlocks = (gemmCols() + COLS4 * BAND - 1u) / (COLS4 * BAND);
  let tile = group.y * groups.x + group.x;
  if (tile >= rowBlocks * colBlocks) {
    return;
  }
  let slice = group.z;
  let row = (tile / colBlocks) * 16u;
  let col = (tile % colBlocks) * COLS4 * BAND + local * 4u;
  let kRange = depthRange(slice);

  let ownRow = row + (local % 4u) * 4u;
  let rowA0 = rowA(slice, ownRow);
  let rowA1 = rowA(slice, ownRow + 1u);
  let rowA2 = rowA(slice, ownRow + 2u);
  let rowA3 = rowA(slice, ownRow + 3u);

  var c0: Bands; var c1: Bands; var c2: Bands; var c3: Bands; var c4: Bands; var c5: Bands; var c6: Bands; var c7: Bands;
  var c8: Bands; var c9: Bands; var c10: Bands; var c11: Bands; var c12: Bands; var c13: Bands; var c14: Bands; var c15: Bands;

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
    let b0 = blockB(slice, col, k, kRange.y);
    var b1: mat4x4<f32>;
    var b2: mat4x4<f32>;
    var b3: mat4x4<f32>;
    if (COLS4 > 1u) {
      b1 = blockB(slice, col + BAND, k, kRange.y);
    }
    if (COLS4 > 2u) {
      b2 = blockB(slice, col + 2u * BAND, k, kRange.y);
      b3 = blockB(slice, col + 3u * BAND, k, kRange.y);
    }
    multiplyAdd(&c0, b0, b1, b2, b3, subgroupBroadcast(a[0], 0u));
    multiplyAdd(&c1, b0, b1, b2, b3, subgroupBroadcast(a[1], 0u));
    multiplyAdd(&c2, b0, b1, b2, b3, subgroupBroadcast(a[2], 0u));
    multiplyAdd(&c3, b0, b1, b2, b3, subgroupBroadcast(a[3], 0u));
    multiplyAdd(&c4, b0, b1, b2, b3, subgroupBroadcast(a[0], 1u));
    multiplyAdd(&c5, b0, b1, b2, b3, subgroupBroadcast(a[1], 1u));
    multiplyAdd(&c6, b0, b1, b2, b3, subgroupBroadcast(a[2], 1u));
    multiplyAdd(&c7, b0, b1, b2, b3, subgroupBroadcast(a[3], 1u));
    multiplyAdd(&c8, b0, b1, b2, b3, subgroupBroadcast(a[0], 2u));
    multiplyAdd(&c9, b0, b1, b2, b3, subgroupBroadcast(a[1], 2u));
    multiplyAdd(&c10, b0, b1, b2, b3, subgroupBroadcast(a[2], 2u));
    multiplyAdd(&c11, b0, b1, b2, b3, subgroupBroadcast(a[3], 2u));
    multiplyAdd(&c12, b0, b1, b2, b3, subgroupBroadcast(a[0], 3u));
    multiplyAdd(&c13, b0, b1, b2, b3, subgroupBroadcast(a[1], 3u));
    multiplyAdd(&c14, b0, b1, b2, b3, subgroupBroadcast(a[2], 3u));
    multiplyAdd(&c15, b0, b1, b2, b3, subgroupBroadcast(a[3], 3u));
  }

  storeRow(slice, row, col, c0);
  storeRow(slice, row + 1u, col, c1);
  storeRow(slice, row + 2u, col, c2);
  storeRow(slice, row + 3u, col, c3);
  storeRow(slice, row + 4u, col, c4);
  storeRow(slice, row + 5u, col, c5);
  storeRow(slice, row + 6u, col, c6);
  storeRow(slice, row + 7u, col, c7);
  storeRow(slice, row + 8u, col, c8);
  storeRow(slice, row + 9u, col, c9);
  storeRow(slice, row + 10u, col, c10);
  storeRow(slice, row + 11u, col, c11);
  storeRow(slice, row + 12u, col, c12);
  storeRow(slice, row + 13u, col, c13);
  storeRow(slice, row + 14u, col, c14);
  storeRow(slice, row + 15u, col, c15);
}
