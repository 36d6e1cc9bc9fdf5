// One workgroup shares one row: each lane takes every LANES-th element, then a tree in workgroup memory combines them.
// Expects WORKGROUP_SIZE, a power of two. The calls contain barriers: every lane of the workgroup has to make them.

const LANES: u32 = WORKGROUP_SIZE;

var<workgroup> rowScratch: array<f32, WORKGROUP_SIZE>;

fn rowIndex(global: vec3<u32>, group: vec3<u32>, groups: vec3<u32>) -> u32 {
  return group.y * groups.x + group.x;
}

fn laneIndex(local: u32) -> u32 {
  return local;
}

fn rowSum(value: f32, lane: u32) -> f32 {
  rowScratch[lane] = value;
  for (var width = WORKGROUP_SIZE / 2u; width > 0u; width = width / 2u) {
    workgroupBarrier();
    if (lane < width) {
      rowScratch[lane] += rowScratch[lane + width];
    }
  }
  workgroupBarrier();
  let total = rowScratch[0];
  workgroupBarrier();
  return total;
}

fn rowMax(value: f32, lane: u32) -> f32 {
  rowScratch[lane] = value;
  for (var width = WORKGROUP_SIZE / 2u; width > 0u; width = width / 2u) {
    workgroupBarrier();
    if (lane < width) {
      rowScratch[lane] = max(rowScratch[lane], rowScratch[lane + width]);
    }
  }
  workgroupBarrier();
  let largest = rowScratch[0];
  workgroupBarrier();
  return largest;
}

var<workgroup> indexScratch: array<u32, WORKGROUP_SIZE>;

fn rowMinIndex(value: u32, lane: u32) -> u32 {
  indexScratch[lane] = value;
  for (var width = WORKGROUP_SIZE / 2u; width > 0u; width = width / 2u) {
    workgroupBarrier();
    if (lane < width) {
      indexScratch[lane] = min(indexScratch[lane], indexScratch[lane + width]);
    }
  }
  workgroupBarrier();
  let smallest = indexScratch[0];
  workgroupBarrier();
  return smallest;
}
