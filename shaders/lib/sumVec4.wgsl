// Sum of the floats of an Element, for kernels with vec4 rows. Goes with lib/elementVec4.wgsl.

fn elementSum(v: vec4<f32>) -> f32 {
  return (v.x + v.y) + (v.z + v.w);
}
