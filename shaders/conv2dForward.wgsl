// y = conv2d(x, w) (+ bias) as an implicit matrix product: no im2col in memory.
//
// Rows are output pixels (n, oh, ow), columns the output channels of a group, the inner dimension runs over
// (kh, kw, c) with channels fastest: both operands are read along it. The loop over tiles is lib/gemmTiled.wgsl or
// lib/gemmSubgroup.wgsl.
// Layout: x [N, H, W, groups * inChannels], w [groups * outChannels, KH, KW, inChannels], y [N, OH, OW, groups * outChannels];
// slice = group * splits + split, partial results [splits, y].
// ALIGNED: inChannels and outChannels are multiples of four, so four steps of k never leave a tap.
// params: see conv2dParams in src/kernels/conv2d.ts (channels are per group)

struct Pixel {
  image: u32,
  top: i32,
  left: i32,
  channel: u32,
  valid: bool,
}

struct Depth {
  k: u32,
  count: u32,
  down: i32,
  right: i32,
  channel: u32,
}

struct Filter {
  start: u32,
  valid: bool,
}

fn gemmRows() -> u32 { return params.batch * params.outHeight * params.outWidth; }
fn gemmCols() -> u32 { return params.outChannels; }

fn depthRange(slice: u32) -> vec2<u32> {
  let begin = (slice % params.splits) * params.splitDepth;
  return vec2<u32>(begin, min(params.depth, begin + params.splitDepth));
}

fn tapOf(k: u32, count: u32) -> Depth {
  let tap = k / params.inChannels;
  let down = i32((tap / params.kernelWidth) * params.dilationHeight);
  let right = i32((tap % params.kernelWidth) * params.dilationWidth);
  return Depth(k, count, down, right, k % params.inChannels);
}

fn depthA(slice: u32, k: u32, kEnd: u32) -> Depth {
  return tapOf(k, select(0u, kEnd - k, k < kEnd));
}

fn depthB(slice: u32, k: u32, kEnd: u32) -> Depth {
  return Depth(k, select(0u, kEnd - k, k < kEnd), 0, 0, 0u);
}

fn rowA(slice: u32, row: u32) -> Pixel {
  let ow = row % params.outWidth;
  let oh = (row / params.outWidth) % params.outHeight;
  let n = row / (params.outWidth * params.outHeight);
  return Pixel(
    n * params.height * params.width,
    i32(oh * params.strideHeight) - i32(params.padHeight),
    i32(ow * params.strideWidth) - i32(params.padWidth),
    (slice / params.splits) * params.inChannels,
    n < params.batch,
  );
}

fn colB(slice: u32, col: u32) -> Filter {
  return Filter(((slice / params.splits) * params.outChannels + col) * params.depth, col < params.outChannels);
}

fn tapIndex(pixel: Pixel, depth: Depth) -> u32 {
  let h = u32(pixel.top + depth.down);
  let w = u32(pixel.left + depth.right);
  return (pixel.image + h * params.width + w) * params.groups * params.inChannels + pixel.channel + depth.channel;
}

fn inside(pixel: Pixel, depth: Depth) -> bool {
  // A negative position wraps to a large u32 and fails the same comparison.
  return pixel.valid && u32(pixel.top + depth.down) < params.height && u32(pixel.left + depth.right) < params.width;
}

fn loadA(pixel: Pixel, depth: Depth) -> vec4<f32> {
  if (ALIGNED) {
    return readA(tapIndex(pixel, depth), select(0u, 4u, depth.count > 0u && inside(pixel, depth)));
  }
  var value = vec4<f32>(0.0);
  for (var j = 0u; j < min(4u, depth.count); j++) {
    let step = tapOf(depth.k + j, 1u);
    if (inside(pixel, step)) {
      value[j] = readA(tapIndex(pixel, step), 1u).x;
    }
  }
  return value;
}

fn loadB(weights: Filter, depth: Depth) -> vec4<f32> {
  return readB(weights.start + depth.k, select(0u, depth.count, weights.valid));
}

fn storeC(slice: u32, row: u32, col: u32, value: vec4<f32>) {
  if (row >= gemmRows() || col >= params.outChannels) {
    return;
  }
  let count = params.outChannels - col;
  let channel = (slice / params.splits) * params.outChannels + col;
  var total = value;
  if (HAS_BIAS) {
    total += readBias(channel, count);
  }
  let split = slice % params.splits;
  writeResult((split * gemmRows() + row) * params.groups * params.outChannels + channel, count, total);
}
