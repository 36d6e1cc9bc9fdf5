// Index of an invocation in a one-dimensional grid that may be folded into y (see grid1d in src/kernels/define.ts).
// Expects the constant WORKGROUP_SIZE.

fn flatIndex(global: vec3<u32>, groups: vec3<u32>) -> u32 {
  return global.y * (groups.x * WORKGROUP_SIZE) + global.x;
}
