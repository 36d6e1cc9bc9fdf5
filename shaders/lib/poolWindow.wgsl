// Windows of a pooling, and the windows that hold an input position (for gathering gradients).
//
// ADAPTIVE: window i of n is [floor(i size / n), ceil((i + 1) size / n)); otherwise it starts at i stride - padding.
// Spans are clipped to the image and exclude their end. Expects the constants ADAPTIVE, COUNT_PADDING and the params
// height, width, outHeight, outWidth, kernelY, kernelX, strideY, strideX, paddingY, paddingX, all i32.

struct Span {
  begin: i32,
  end: i32,
}

fn window(i: i32, n: i32, size: i32, kernel: i32, stride: i32, padding: i32) -> Span {
  if (ADAPTIVE) {
    return Span(i * size / n, ((i + 1) * size + n - 1) / n);
  }
  let begin = i * stride - padding;
  return Span(max(begin, 0), min(begin + kernel, size));
}

fn windowsOver(position: i32, n: i32, size: i32, kernel: i32, stride: i32, padding: i32) -> Span {
  if (ADAPTIVE) {
    return Span(position * n / size, ((position + 1) * n + size - 1) / size);
  }
  // The first window that ends beyond the position; its dividend is kept positive because division truncates.
  let first = max(position + padding - kernel + stride, 0) / stride;
  return Span(first, min((position + padding) / stride + 1, n));
}

fn windowRows(oy: i32) -> Span {
  return window(oy, params.outHeight, params.height, params.kernelY, params.strideY, params.paddingY);
}

fn windowCols(ox: i32) -> Span {
  return window(ox, params.outWidth, params.width, params.kernelX, params.strideX, params.paddingX);
}

fn windowRowsOver(iy: i32) -> Span {
  return windowsOver(iy, params.outHeight, params.height, params.kernelY, params.strideY, params.paddingY);
}

fn windowColsOver(ix: i32) -> Span {
  return windowsOver(ix, params.outWidth, params.width, params.kernelX, params.strideX, params.paddingX);
}

// Divisor of a mean over a window.
fn windowArea(rows: Span, cols: Span) -> f32 {
  if (COUNT_PADDING) {
    return f32(params.kernelY * params.kernelX);
  }
  return f32((rows.end - rows.begin) * (cols.end - cols.begin));
}
