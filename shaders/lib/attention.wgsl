// What the fused attention kernels share: tiles of rows in workgroup memory, which keys count, what dropout keeps.
//
// A head is one (batch, head) pair; its rows follow each other in [heads, length, D4] of vec4. Four neighbouring lanes
// share a row: each owns every fourth vec4 of a head vector, so that accumulators stay in registers up to a head size of
// 128, and dot products are completed by two quad swaps. A tile holds TILE rows of two arrays, 16 KiB at most.
// Expects D4 (a multiple of 4), TILE (a multiple of 4), WORKGROUP_SIZE from the variant, lib/random.wgsl, and from the
// kernel the binding mask and the functions readA and readB that load what is staged.
// params: length, heads, headsPerBatch, scale, masked, dropThreshold, keepScale, seed

const LANES: u32 = 4u;
const COLUMNS: u32 = D4 / LANES;
const ROWS: u32 = WORKGROUP_SIZE / LANES;
// Stands for minus infinity, which WGSL compilers may assume never to occur.
const LOWEST: f32 = -1e30;

var<workgroup> tileA: array<vec4<f32>, TILE * D4>;
var<workgroup> tileB: array<vec4<f32>, TILE * D4>;

fn stage(first: u32, count: u32, local: u32) {
  workgroupBarrier();
  for (var i = local; i < count * D4; i += WORKGROUP_SIZE) {
    tileA[i] = readA(first + i);
    tileB[i] = readB(first + i);
  }
  workgroupBarrier();
}

fn stagedA(row: u32, column: u32) -> vec4<f32> {
  return tileA[row * D4 + column];
}

fn stagedB(row: u32, column: u32) -> vec4<f32> {
  return tileB[row * D4 + column];
}

fn laneTotal(value: vec4<f32>) -> vec4<f32> {
  let pair = value + quadSwapX(value);
  return pair + quadSwapY(pair);
}

fn headIndex(group: vec3<u32>, groups: vec3<u32>) -> u32 {
  return group.z * groups.y + group.y;
}

// Factor of one probability: 0 if dropped, else 1 / (1 - p). The same in forward and backward.
fn dropoutFactor(head: u32, query: u32, key: u32) -> f32 {
  if (params.dropThreshold == 0u) {
    return 1.0;
  }
  let index = (head * params.length + query) * params.length + key;
  return select(0.0, params.keepScale, randomBits(index, params.seed) >= params.dropThreshold);
}

// Factors of one query and four keys.
fn dropoutOfKeys(head: u32, query: u32, key: u32) -> vec4<f32> {
  return vec4<f32>(
    dropoutFactor(head, query, key),
    dropoutFactor(head, query, key + 1u),
    dropoutFactor(head, query, key + 2u),
    dropoutFactor(head, query, key + 3u),
  );
}

// Factors of four queries and one key.
fn dropoutOfQueries(head: u32, query: u32, key: u32) -> vec4<f32> {
  return vec4<f32>(
    dropoutFactor(head, query, key),
    dropoutFactor(head, query + 1u, key),
    dropoutFactor(head, query + 2u, key),
    dropoutFactor(head, query + 3u, key),
  );
}

fn keyCounts(head: u32, key: u32) -> bool {
  if (params.masked == 0u) {
    return true;
  }
  return mask[(head / params.headsPerBatch) * params.length + key] != 0;
}

// Whether four neighbouring keys exist and are not masked.
fn keysCount(head: u32, key: u32) -> vec4<bool> {
  let last = params.length - 1u;
  return (vec4<u32>(key, key + 1u, key + 2u, key + 3u) <= vec4<u32>(last)) & vec4<bool>(
    keyCounts(head, key),
    keyCounts(head, min(key + 1u, last)),
    keyCounts(head, min(key + 2u, last)),
    keyCounts(head, min(key + 3u, last)),
  );
}

// Four rows of a tile of `count`, repeated at its end.
fn tileRows(row: u32, count: u32) -> vec4<u32> {
  return min(vec4<u32>(row, row + 1u, row + 2u, row + 3u), vec4<u32>(count - 1u));
}
