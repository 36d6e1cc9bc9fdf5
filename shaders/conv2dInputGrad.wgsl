// dx of conv2d as an implicit matrix product, one dispatch per phase of the stride: only taps that meet the phase are
// visited, so no step multiplies a zero.
//
// A phase holds the input pixels with h = phaseHeight + i * strideHeight (w alike). Rows are its pixels, columns the
// input channels of a group, the inner dimension runs over (tap, o) with output channels fastest. Of the taps, those
// with kh = tapStartHeight + i * tapStepHeight reach the phase.
// Layout: A = dy [N, OH, OW, groups * outChannels] along k, B = w [groups * outChannels, KH, KW, inChannels] along its
// columns, result dx [splits, N, H, W, groups * inChannels].
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
  tapHeight: u32,
  tapWidth: u32,
  channel: u32,
}

struct Column {
  start: u32,
  count: u32,
  group: u32,
}

fn phaseRows() -> u32 { return (params.height - params.phaseHeight + params.strideHeight - 1u) / params.strideHeight; }
fn phaseCols() -> u32 { return (params.width - params.phaseWidth + params.strideWidth - 1u) / params.strideWidth; }
fn gemmRows() -> u32 { return params.batch * phaseRows() * phaseCols(); }
fn gemmCols() -> u32 { return params.inChannels; }

fn depthRange(slice: u32) -> vec2<u32> {
  let begin = min(params.depth, (slice % params.splits) * params.splitDepth);
  return vec2<u32>(begin, min(params.depth, begin + params.splitDepth));
}

fn tapOf(k: u32, count: u32) -> Depth {
  let tap = k / params.outChannels;
  return Depth(
    k,
    count,
    params.tapStartHeight + (tap / params.tapsWidth) * params.tapStepHeight,
    params.tapStartWidth + (tap % params.tapsWidth) * params.tapStepWidth,
    k % params.outChannels,
  );
}

fn depthA(slice: u32, k: u32, kEnd: u32) -> Depth { return tapOf(k, select(0u, kEnd - k, k < kEnd)); }
fn depthB(slice: u32, k: u32, kEnd: u32) -> Depth { return tapOf(k, select(0u, kEnd - k, k < kEnd)); }

fn rowA(slice: u32, row: u32) -> Pixel {
  let n = row / (phaseCols() * phaseRows());
  return Pixel(
    n * params.outHeight * params.outWidth,
    i32(params.phaseHeight + ((row / phaseCols()) % phaseRows()) * params.strideHeight + params.padHeight),
    i32(params.phaseWidth + (row % phaseCols()) * params.strideWidth + params.padWidth),
    (slice / params.splits) * params.outChannels,
    n < params.batch,
  );
}

fn colB(slice: u32, col: u32) -> Column {
  return Column(col, select(0u, params.inChannels - col, col < params.inChannels), slice / params.splits);
}

// Row and column of dy that a tap of this pixel reaches; the division is exact within a phase.
fn source(pixel: Pixel, depth: Depth) -> vec2<i32> {
  return vec2<i32>(
    (pixel.top - i32(depth.tapHeight * params.dilationHeight)) / i32(params.strideHeight),
    (pixel.left - i32(depth.tapWidth * params.dilationWidth)) / i32(params.strideWidth),
  );
}

fn inside(pixel: Pixel, at: vec2<i32>, depth: Depth) -> bool {
  return pixel.valid && pixel.top >= i32(depth.tapHeight * params.dilationHeight)
    && pixel.left >= i32(depth.tapWidth * params.dilationWidth)
    && u32(at.x) < params.outHeight && u32(at.y) < params.outWidth;
}

fn sourceIndex(pixel: Pixel, at: vec2<i32>, depth: Depth) -> u32 {
  return (pixel.image + u32(at.x) * params.outWidth + u32(at.y)) * params.groups * params.outChannels
    + pixel.channel + depth.channel;
}

fn loadA(pixel: Pixel, depth: Depth) -> vec4<f32> {
  if (ALIGNED) {
    let at = source(pixel, depth);
    if (depth.count == 0u || !inside(pixel, at, depth)) {
      return vec4<f32>(0.0);
    }
    return readA(sourceIndex(pixel, at, depth), 4u);
  }
  var value = vec4<f32>(0.0);
  for (var j = 0u; j < min(4u, depth.count); j++) {
    let step = tapOf(depth.k + j, 1u);
    let at = source(pixel, step);
    if (inside(pixel, at, step)) {
      value[j] = readA(sourceIndex(pixel, at, step), 1u).x;
    }
  }
  return value;
}

fn loadB(col: Column, depth: Depth) -> vec4<f32> {
  let weights = (col.group * params.outChannels + depth.channel) * params.kernelHeight + depth.tapHeight;
  let index = (weights * params.kernelWidth + depth.tapWidth) * params.inChannels + col.start;
  return readB(index, select(0u, col.count, depth.count > 0u));
}

fn storeC(slice: u32, row: u32, col: u32, value: vec4<f32>) {
  if (row >= gemmRows() || col >= params.inChannels) {
    return;
  }
  let w = params.phaseWidth + (row % phaseCols()) * params.strideWidth;
  let h = params.phaseHeight + ((row / phaseCols()) % phaseRows()) * params.strideHeight;
  let n = (slice % params.splits) * params.batch + row / (phaseCols() * phaseRows());
  let pixel = (n * params.height + h) * params.width + w;
  let channel = (slice / params.splits) * params.inChannels + col;
  writeResult(pixel * params.groups * params.inChannels + channel, params.inChannels - col, value);
}
