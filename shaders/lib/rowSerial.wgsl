// One invocation walks one row: the fastest form on software adapters, where barriers are costly.
// Expects WORKGROUP_SIZE. Same interface as lib/rowWorkgroup.wgsl.

const LANES: u32 = 1u;

fn rowIndex(global: vec3<u32>, group: vec3<u32>, groups: vec3<u32>) -> u32 {
  return global.y * (groups.x * WORKGROUP_SIZE) + global.x;
}

fn laneIndex(local: u32) -> u32 {
  return 0u;
}

fn rowSum(value: f32, lane: u32) -> f32 {
  return value;
}

fn rowMax(value: f32, lane: u32) -> f32 {
  return value;
}

fn rowMinIndex(value: u32, lane: u32) -> u32 {
  return value;
}
