// Sum and maximum over the floats of an Element, for kernels with vec4 rows. Goes with lib/elementVec4.wgsl.

fn elementSum(v: vec4<f32>) -> f32 {
  return (v.x + v.y) + (v.z + v.w);
}

fn elementMax(v: vec4<f32>) -> f32 {
  return max(max(v.x, v.y), max(v.z, v.w));
}
