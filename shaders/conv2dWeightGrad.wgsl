// dw of conv2d as an implicit matrix product over all output pixels, split along them.
//
// Rows are the output channels of a group, columns (kh, kw, c), the inner dimension the output pixels (n, oh, ow). Both
// operands are read along their channels. Each split sums its part of the pixels; a reduction adds the parts in order.
// Layout: A = dy [N, OH, OW, groups * outChannels] along its rows, B = x [N, H, W, groups * inChannels] along its
// columns, result dw [splits, groups * outChannels, KH, KW, inChannels].
// params: see conv2dParams in src/kernels/conv2d.ts (channels are per group)

struct Row {
  channel: u32,
  count: u32,
}

struct Pixel {
  index: u32,
  image: u32,
  top: i32,
  left: i32,
  valid: bool,
}

struct Column {
  col: u32,
  count: u32,
  down: i32,
  right: i32,
  channel: u32,
}

fn gemmRows() -> u32 { return params.outChannels; }
fn gemmCols() -> u32 { return params.kernelHeight * params.kernelWidth * params.inChannels; }

fn depthRange(slice: u32) -> vec2<u32> {
  let begin = (slice % params.splits) * params.splitDepth;
  return vec2<u32>(begin, min(params.depth, begin + params.splitDepth));
}

fn depthA(slice: u32, k: u32, kEnd: u32) -> Pixel {
  return Pixel(k * params.groups * params.outChannels, 0u, 0, 0, k < kEnd);
}

fn depthB(slice: u32, k: u32, kEnd: u32) -> Pixel {
  let ow = k % params.outWidth;
  let oh = (k / params.outWidth) % params.outHeight;
  let n = k / (params.outWidth * params.outHeight);
  return Pixel(
    k,
    n * params.height * params.width,
    i32(oh * params.strideHeight) - i32(params.padHeight),
    i32(ow * params.strideWidth) - i32(params.padWidth),
    k < kEnd,
  );
}

fn rowA(slice: u32, row: u32) -> Row {
  return Row(
    (slice / params.splits) * params.outChannels + row,
    select(0u, params.outChannels - row, row < params.outChannels),
  );
}

fn columnOf(slice: u32, col: u32, count: u32) -> Column {
  let tap = col / params.inChannels;
  return Column(
    col,
    count,
    i32((tap / params.kernelWidth) * params.dilationHeight),
    i32((tap % params.kernelWidth) * params.dilationWidth),
    (slice / params.splits) * params.inChannels + col % params.inChannels,
  );
}

fn colB(slice: u32, col: u32) -> Column {
  return columnOf(slice, col, select(0u, gemmCols() - col, col < gemmCols()));
}

fn loadA(row: Row, pixel: Pixel) -> vec4<f32> {
  return readA(pixel.index + row.channel, select(0u, row.count, pixel.valid));
}

fn inside(pixel: Pixel, col: Column) -> bool {
  return pixel.valid && u32(pixel.top + col.down) < params.height && u32(pixel.left + col.right) < params.width;
}

fn sourceIndex(pixel: Pixel, col: Column) -> u32 {
  let h = u32(pixel.top + col.down);
  let w = u32(pixel.left + col.right);
  return (pixel.image + h * params.width + w) * params.groups * params.inChannels + col.channel;
}

fn loadB(col: Column, pixel: Pixel) -> vec4<f32> {
  if (ALIGNED) {
    return readB(sourceIndex(pixel, col), select(0u, 4u, col.count > 0u && inside(pixel, col)));
  }
  var value = vec4<f32>(0.0);
  let groupStart = col.channel - col.col % params.inChannels;
  for (var j = 0u; j < min(4u, col.count); j++) {
    var step = columnOf(0u, col.col + j, 1u);
    step.channel += groupStart;
    if (inside(pixel, step)) {
      value[j] = readB(sourceIndex(pixel, step), 1u).x;
    }
  }
  return value;
}

fn storeC(slice: u32, row: u32, col: u32, value: vec4<f32>) {
  if (row >= gemmRows() || col >= gemmCols()) {
    return;
  }
  let split = slice % params.splits;
  let weights = (split * params.groups + slice / params.splits) * params.outChannels + row;
  writeResult(weights * gemmCols() + col, gemmCols() - col, value);
}
