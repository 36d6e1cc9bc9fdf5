// Batched matrix product: result[slice] = A[batch] * B[batch] (+ bias), either operand stored transposed.
//
// Purpose: matmul, linear layers and their gradients (NN, NT, TN, TT). The loop over tiles is lib/gemmTiled.wgsl or
// lib/gemmSubgroup.wgsl; this file says where the elements lie.
// Layout: A [batchA, M, K] (A_ALONG_K) or [batchA, K, M]; B [batchB, K, N] or [batchB, N, K] (B_ALONG_K); a batch
// stride of 0 repeats an operand. slice = batch * splits + split; with several splits each one writes a partial
// result over its part of K, and a reduction adds them up in order (no float atomics).
// params: rows, cols, depth, strideA, strideB (elements per batch), splits, splitDepth (multiple of 4)

struct Operand {
  start: u32,
  count: u32,
}

struct Depth {
  k: u32,
  count: u32,
}

fn gemmRows() -> u32 { return params.rows; }
fn gemmCols() -> u32 { return params.cols; }

fn depthRange(slice: u32) -> vec2<u32> {
  let begin = (slice % params.splits) * params.splitDepth;
  return vec2<u32>(begin, min(params.depth, begin + params.splitDepth));
}

fn remaining(end: u32, position: u32) -> u32 {
  return select(0u, end - position, position < end);
}

fn depthA(slice: u32, k: u32, kEnd: u32) -> Depth { return Depth(k, remaining(kEnd, k)); }
fn depthB(slice: u32, k: u32, kEnd: u32) -> Depth { return Depth(k, remaining(kEnd, k)); }

fn rowA(slice: u32, row: u32) -> Operand {
  let base = (slice / params.splits) * params.strideA;
  return Operand(base + row * select(1u, params.depth, A_ALONG_K), remaining(params.rows, row));
}

fn colB(slice: u32, col: u32) -> Operand {
  let base = (slice / params.splits) * params.strideB;
  return Operand(base + col * select(1u, params.depth, B_ALONG_K), remaining(params.cols, col));
}

fn loadA(row: Operand, depth: Depth) -> vec4<f32> {
  if (A_ALONG_K) {
    return readA(row.start + depth.k, select(0u, depth.count, row.count > 0u));
  }
  return readA(row.start + depth.k * params.rows, select(0u, row.count, depth.count > 0u));
}

fn loadB(col: Operand, depth: Depth) -> vec4<f32> {
  if (B_ALONG_K) {
    return readB(col.start + depth.k, select(0u, depth.count, col.count > 0u));
  }
  return readB(col.start + depth.k * params.cols, select(0u, col.count, depth.count > 0u));
}

fn storeC(slice: u32, row: u32, col: u32, value: vec4<f32>) {
  let count = remaining(params.cols, col);
  if (row >= params.rows || count == 0u) {
    return;
  }
  var total = value;
  if (HAS_BIAS) {
    total += readBias(col, count);
  }
  writeResult((slice * params.rows + row) * params.cols + col, count, total);
}
