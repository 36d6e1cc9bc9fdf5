// Sum and maximum over the floats of an Element that is one float. Goes with lib/elementScalar.wgsl.

fn elementSum(v: f32) -> f32 {
  return v;
}

fn elementMax(v: f32) -> f32 {
  return v;
}
