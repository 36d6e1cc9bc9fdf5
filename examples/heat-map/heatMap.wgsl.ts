/** Draws a grey image with a heat map over it that lies in a storage buffer, where the engine computed it. */
export const heatMapShader = `
struct Screen { @builtin(position) position: vec4<f32>, @location(0) place: vec2<f32> }

@group(0) @binding(0) var radiograph: texture_2d<f32>;
@group(0) @binding(1) var linear: sampler;
@group(0) @binding(2) var<storage, read> heat: array<f32>;

// One triangle that covers the canvas.
@vertex
fn cover(@builtin(vertex_index) i: u32) -> Screen {
  let corner = vec2<f32>(f32((i << 1u) & 2u), f32(i & 2u));
  return Screen(vec4<f32>(corner.x * 2.0 - 1.0, 1.0 - corner.y * 2.0, 0.0, 1.0), corner);
}

fn cell(x: i32, y: i32) -> f32 {
  let last = i32(CELLS) - 1;
  return heat[clamp(y, 0, last) * i32(CELLS) + clamp(x, 0, last)];
}

// Bilinear between the centres of cells.
fn heatAt(place: vec2<f32>) -> f32 {
  let at = place * f32(CELLS) - 0.5;
  let low = vec2<i32>(floor(at));
  let share = fract(at);
  let upper = mix(cell(low.x, low.y), cell(low.x + 1, low.y), share.x);
  let lower = mix(cell(low.x, low.y + 1), cell(low.x + 1, low.y + 1), share.x);
  return mix(upper, lower, share.y);
}

@fragment
fn shade(screen: Screen) -> @location(0) vec4<f32> {
  let grey = textureSampleLevel(radiograph, linear, screen.place, 0.0).r;
  let level = clamp(heatAt(screen.place), 0.0, 1.0);
  // From blue to yellow, which colour-blind readers tell apart too; clear where nothing is alike.
  let color = mix(vec3<f32>(0.0, 0.27, 0.7), vec3<f32>(1.0, 0.87, 0.1), level);
  return vec4<f32>(mix(vec3<f32>(grey), color, 0.75 * level), 1.0);
}
`;
