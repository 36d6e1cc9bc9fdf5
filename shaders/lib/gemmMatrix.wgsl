// Matrix product core for tensor cores: tiles of A and B in workgroup memory as f16, products added up in f32.
//
// A workgroup makes TILE_M x TILE_N results with subgroups of SUBGROUP invocations, SUBGROUPS_N of them side by side; each
// makes FRAGMENTS_M x FRAGMENTS_N fragments of 16 x 16 results. A tile is stored in the direction in which it is loaded:
// along k, or along its rows or columns; STRIDE has eight elements more than needed, so that neighbours lie in other
// banks. Two buffers: while one chunk of TILE_K steps is multiplied the next one is loaded, with one barrier per chunk.
// Fragments are put into workgroup memory in the end and stored from there like those of any core.
//
// Expects TILE_M, TILE_N (multiples of 16), TILE_K (16 or 32), FRAGMENTS_M, FRAGMENTS_N, A_ALONG_K, B_ALONG_K from the
// variant; from lib/matrixNative.wgsl or lib/matrixEmulated.wgsl: SUBGROUP, Left, Right, Product, leftAt*, rightAt*,
// multiplyAdd, storeProduct; and what lib/gemmTiled.wgsl expects of the kernel.

const FRAGMENT: u32 = 16u;
const SUBGROUPS_N: u32 = TILE_N / (FRAGMENT * FRAGMENTS_N);
const SUBGROUPS: u32 = SUBGROUPS_N * (TILE_M / (FRAGMENT * FRAGMENTS_M));
const THREADS: u32 = SUBGROUPS * SUBGROUP;
const A_LINE: u32 = select(TILE_M, TILE_K, A_ALONG_K);
const B_LINE: u32 = select(TILE_N, TILE_K, B_ALONG_K);
const A_STRIDE: u32 = A_LINE + 8u;
const B_STRIDE: u32 = B_LINE + 8u;
const A_SIZE: u32 = A_STRIDE * (TILE_M * TILE_K / A_LINE);
const B_SIZE: u32 = B_STRIDE * (TILE_N * TILE_K / B_LINE);

var<workgroup> tileA: array<f16, 2u * A_SIZE>;
var<workgroup> tileB: array<f16, 2u * B_SIZE>;
var<workgroup> staging: array<f32, SUBGROUPS * FRAGMENT * FRAGMENT>;

fn fillA(buffer: u32, slice: u32, row: u32, k: u32, kEnd: u32, local: u32) {
  for (var item = local; item < TILE_M * TILE_K / 4u; item += THREADS) {
    let line = item / (A_LINE / 4u);
    let place = (item % (A_LINE / 4u)) * 4u;
    var value: vec4<f32>;
    if (A_ALONG_K) {
      value = loadA(rowA(slice, row + line), depthA(slice, k + place, kEnd));
    } else {
      value = loadA(rowA(slice, row + place), depthA(slice, k + line, kEnd));
    }
    let at = buffer * A_SIZE + line * A_STRIDE + place;
    tileA[at] = f16(value.x);
    tileA[at + 1u] = f16(value.y);
    tileA[at + 2u] = f16(value.z);
    tileA[at + 3u] = f16(value.w);
  }
}

fn fillB(buffer: u32, slice: u32, col: u32, k: u32, kEnd: u32, local: u32) {
  for (var item = local; item < TILE_N * TILE_K / 4u; item += THREADS) {
    let line = item / (B_LINE / 4u);
    let place = (item % (B_LINE / 4u)) * 4u;
    var value: vec4<f32>;
    if (B_ALONG_K) {
      value = loadB(colB(slice, col + line), depthB(slice, k + place, kEnd));
    } else {
      value = loadB(colB(slice, col + place), depthB(slice, k + line, kEnd));
    }
    let at = buffer * B_SIZE + line * B_STRIDE + place;
    tileB[at] = f16(value.x);
    tileB[at + 1u] = f16(value.y);
    tileB[at + 2u] = f16(value.z);
    tileB[at + 3u] = f16(value.w);
  }
}

// Fragment of A in `buffer`: rows from `row`, steps from `k` of the tile.
fn leftFragment(buffer: u32, row: u32, k: u32) -> Left {
  if (A_ALONG_K) {
    return leftAtRows(buffer * A_SIZE + row * A_STRIDE + k);
  }
  return leftAtColumns(buffer * A_SIZE + k * A_STRIDE + row);
}

fn rightFragment(buffer: u32, col: u32, k: u32) -> Right {
  if (B_ALONG_K) {
    return rightAtColumns(buffer * B_SIZE + col * B_STRIDE + k);
  }
  return rightAtRows(buffer * B_SIZE + k * B_STRIDE + col);
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
  let subgroup = local / SUBGROUP;
  lane = local % SUBGROUP;
  let ownRow = (subgroup / SUBGROUPS_N) * FRAGMENT * FRAGMENTS_M;
  let ownCol = (subgroup % SUBGROUPS_N) * FRAGMENT * FRAGMENTS_N;

  var acc: array<Product, FRAGMENTS_M * FRAGMENTS_N>;
  fillA(0u, slice, row, kRange.x, kRange.y, local);
  fillB(0u, slice, col, kRange.x, kRange.y, local);
  var buffer = 0u;
  for (var k = kRange.x; k < kRange.y; k += TILE_K) {
    workgroupBarrier();
    if (k + TILE_K < kRange.y) {
      fillA(1u - buffer, slice, row, k + TILE_K, kRange.y, local);
      fillB(1u - buffer, slice, col, k + TILE_K, kRange.y, local);
    }
    for (var step = 0u; step < TILE_K; step += FRAGMENT) {
      var right: array<Right, FRAGMENTS_N>;
      for (var n = 0u; n < FRAGMENTS_N; n++) {
        right[n] = rightFragment(buffer, ownCol + n * FRAGMENT, step);
      }
      for (var m = 0u; m < FRAGMENTS_M; m++) {
        let left = leftFragment(buffer, ownRow + m * FRAGMENT, step);
        for (var n = 0u; n < FRAGMENTS_N; n++) {
          acc[m * FRAGMENTS_N + n] = multiplyAdd(left, right[n], acc[m * FRAGMENTS_N + n]);
        }
      }
    }
    buffer = 1u - buffer;
  }

  let place = subgroup * FRAGMENT * FRAGMENT;
  for (var m = 0u; m < FRAGMENTS_M; m++) {
    for (var n = 0u; n < FRAGMENTS_N; n++) {
      workgroupBarrier();
      storeProduct(place, acc[m * FRAGMENTS_N + n]);
      workgroupBarrier();
      for (var quad = lane; quad < FRAGMENT * FRAGMENT / 4u; quad += SUBGROUP) {
        let at = place + quad * 4u;
        let value = vec4<f32>(staging[at], staging[at + 1u], staging[at + 2u], staging[at + 3u]);
        storeC(slice, row + ownRow + m * FRAGMENT + quad / 4u, col + ownCol + n * FRAGMENT + (quad % 4u) * 4u, value);
      }
    }
  }
}
