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
  row: i32,
  col: i32,
  channel: u32,
  valid: bool,
}

// A step of k: its tap, and where that tap leads from pixel (i, j) of the phase: dy at (i + down, j + right).
struct Depth {
  k: u32,
  count: u32,
  tapHeight: u32,
  tapWidth: u32,
  down: i32,
  right: i32,
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
  let tapHeight = params.tapStartHeight + (tap / params.tapsWidth) * params.tapStepHeight;
  let tapWidth = params.tapStartWidth + (tap % params.tapsWidth) * params.tapStepWidth;
  // Exact divisions: only taps that meet the phase are visited.
  let down = i32(params.phaseHeight + params.padHeight) - i32(tapHeight * params.dilationHeight);
  let right = i32(params.phaseWidth + params.padWidth) - i32(tapWidth * params.dilationWidth);
  return Depth(
    k,
    count,
    tapHeight,
    tapWidth,
    down / i32(params.strideHeight),
    right / i32(params.strideWidth),
    k % params.outChannels,
  );
}

fn depthA(slice: u32, k: u32, kEnd: u32) -> Depth { return tapOf(k, select(0u, kEnd - k, k < kEnd)); }
fn depthB(slice: u32, k: u32, kEnd: u32) -> Depth { return tapOf(k, select(0u, kEnd - k, k < kEnd)); }

fn rowA(slice: u32, row: u32) -> Pixel {
  let n = row / (phaseCols() * phaseRows());
  return Pixel(
    n * params.outHeight * params.outWidth,
    i32((row / phaseCols()) % phaseRows()),
    i32(row % phaseCols()),
    (slice / params.splits) * params.outChannels,
    n < params.batch,
  );
}

fn colB(slice: u32, col: u32) -> Column {
  return Column(col, select(0u, params.inChannels - col, col < params.inChannels), slice / params.splits);
}

fn inside(pixel: Pixel, depth: Depth) -> bool {
  // A negative position wraps to a large u32 and fails the same comparison.
  return pixel.valid && u32(pixel.row + depth.down) < params.outHeight && u32(pixel.col + depth.right) < params.outWidth;
}

fn sourceIndex(pixel: Pixel, depth: Depth) -> u32 {
  let at = pixel.image + u32(pixel.row + depth.down) * params.outWidth + u32(pixel.col + depth.right);
  return at * params.groups * params.outChannels + pixel.channel + depth.channel;
}

fn loadA(pixel: Pixel, depth: Depth) -> vec4<f32> {
  if (ALIGNED) {
    return readA(sourceIndex(pixel, depth), select(0u, 4u, depth.count > 0u && inside(pixel, depth)));
  }
  var value = vec4<f32>(0.0);
  for (var j = 0u; j < min(4u, depth.count); j++) {
    let step = tapOf(depth.k + j, 1u);
    if (inside(pixel, step)) {
      value[j] = readA(sourceIndex(pixel, step), 1u).x;
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
