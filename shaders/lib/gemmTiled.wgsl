// Matrix product core for GPUs: tiles of A and B in workgroup memory, results in vec4 registers.
//
// A workgroup makes TILE_M x TILE_N results; each invocation makes MICRO_M x (4 * MICRO_N4) of them. Both tiles are
// stored k-major, so that an invocation reads its rows and columns as vec4. Two buffers: while one chunk of TILE_K
// steps is multiplied the next one is loaded, with one barrier per chunk.
//
// Expects TILE_M, TILE_N, TILE_K (multiples of 4), MICRO_M (4 or 8), MICRO_N4 (1 or 2), A_ALONG_K, B_ALONG_K from the
// variant; lib/tileOrder.wgsl; from the kernel: gemmRows, gemmCols, gemmDepth, rowA, depthA, loadA, colB, depthB, loadB,
// storeC, depthRange.

const THREADS_N: u32 = TILE_N / (4u * MICRO_N4);
const THREADS: u32 = THREADS_N * (TILE_M / MICRO_M);
const MICRO_M4: u32 = MICRO_M / 4u;
const A_STRIDE: u32 = TILE_M / 4u;
const B_STRIDE: u32 = TILE_N / 4u;

var<workgroup> tileA: array<vec4<f32>, 2u * TILE_K * A_STRIDE>;
var<workgroup> tileB: array<vec4<f32>, 2u * TILE_K * B_STRIDE>;

fn fillA(buffer: u32, slice: u32, row: u32, k: u32, kEnd: u32, local: u32) {
  let base = buffer * TILE_K * A_STRIDE;
  if (A_ALONG_K) {
    for (var item = local; item < A_STRIDE * (TILE_K / 4u); item += THREADS) {
      let step = (item % (TILE_K / 4u)) * 4u;
      let quad = item / (TILE_K / 4u);
      let depth = depthA(slice, k + step, kEnd);
      let first = row + quad * 4u;
      let block = transpose(mat4x4<f32>(
        loadA(rowA(slice, first), depth),
        loadA(rowA(slice, first + 1u), depth),
        loadA(rowA(slice, first + 2u), depth),
        loadA(rowA(slice, first + 3u), depth),
      ));
      tileA[base + step * A_STRIDE + quad] = block[0];
      tileA[base + (step + 1u) * A_STRIDE + quad] = block[1];
      tileA[base + (step + 2u) * A_STRIDE + quad] = block[2];
      tileA[base + (step + 3u) * A_STRIDE + quad] = block[3];
    }
  } else {
    for (var item = local; item < A_STRIDE * TILE_K; item += THREADS) {
      let step = item / A_STRIDE;
      let quad = item % A_STRIDE;
      tileA[base + item] = loadA(rowA(slice, row + quad * 4u), depthA(slice, k + step, kEnd));
    }
  }
}

fn fillB(buffer: u32, slice: u32, col: u32, k: u32, kEnd: u32, local: u32) {
  let base = buffer * TILE_K * B_STRIDE;
  if (B_ALONG_K) {
    for (var item = local; item < B_STRIDE * (TILE_K / 4u); item += THREADS) {
      let step = (item % (TILE_K / 4u)) * 4u;
      let quad = item / (TILE_K / 4u);
      let depth = depthB(slice, k + step, kEnd);
      let first = col + quad * 4u;
      let block = transpose(mat4x4<f32>(
        loadB(colB(slice, first), depth),
        loadB(colB(slice, first + 1u), depth),
        loadB(colB(slice, first + 2u), depth),
        loadB(colB(slice, first + 3u), depth),
      ));
      tileB[base + step * B_STRIDE + quad] = block[0];
      tileB[base + (step + 1u) * B_STRIDE + quad] = block[1];
      tileB[base + (step + 2u) * B_STRIDE + quad] = block[2];
      tileB[base + (step + 3u) * B_STRIDE + quad] = block[3];
    }
  } else {
    for (var item = local; item < B_STRIDE * TILE_K; item += THREADS) {
      let step = item / B_STRIDE;
      let quad = item % B_STRIDE;
      tileB[base + item] = loadB(colB(slice, col + quad * 4u), depthB(slice, k + step, kEnd));
    }
  }
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let tileRows = (gemmRows() + TILE_M - 1u) / TILE_M;
  let tileCols = (gemmCols() + TILE_N - 1u) / TILE_N;
  let tile = group.y * groups.x + group.x;
  if (tile >= tileRows * tileCols) {
    return;
  }
  let origin = tileOrigin(tile, tileRows, tileCols);
  let row = origin.x * TILE_M;
  let col = origin.y * TILE_N;
  let slice = group.z;
  let kRange = depthRange(slice);
  let ownRow = (local / THREADS_N) * MICRO_M4;
  let ownCol = (local % THREADS_N) * MICRO_N4;

  var acc: array<array<vec4<f32>, MICRO_N4>, MICRO_M>;
  fillA(0u, slice, row, kRange.x, kRange.y, local);
  fillB(0u, slice, col, kRange.x, kRange.y, local);
  var buffer = 0u;
  for (var k = kRange.x; k < kRange.y; k += TILE_K) {
    workgroupBarrier();
    if (k + TILE_K < kRange.y) {
      fillA(1u - buffer, slice, row, k + TILE_K, kRange.y, local);
      fillB(1u - buffer, slice, col, k + TILE_K, kRange.y, local);
    }
    for (var step = 0u; step < TILE_K; step++) {
      var columns: array<vec4<f32>, MICRO_N4>;
      for (var n = 0u; n < MICRO_N4; n++) {
        columns[n] = tileB[(buffer * TILE_K + step) * B_STRIDE + ownCol + n];
      }
      for (var m = 0u; m < MICRO_M4; m++) {
        let rows = tileA[(buffer * TILE_K + step) * A_STRIDE + ownRow + m];
        for (var n = 0u; n < MICRO_N4; n++) {
          acc[m * 4u][n] += rows.x * columns[n];
          acc[m * 4u + 1u][n] += rows.y * columns[n];
          acc[m * 4u + 2u][n] += rows.z * columns[n];
          acc[m * 4u + 3u][n] += rows.w * columns[n];
        }
      }
    }
    buffer = 1u - buffer;
  }

  for (var m = 0u; m < MICRO_M; m++) {
    for (var n = 0u; n < MICRO_N4; n++) {
      storeC(slice, row + ownRow * 4u + m, col + (ownCol + n) * 4u, acc[m][n]);
    }
  }
}
