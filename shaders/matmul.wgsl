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

// With vec4 loads an operand always has four elements to load, because places beyond its edge are taken to be the last
// ones: their results are never stored. Steps of k then need no check either where they are a multiple of DEPTH_STEP.
const WHOLE_STEPS: bool = ALIGNED && DEPTH_STEP == 4u && (A_ALONG_K || B_ALONG_K);

// Index of row or column `position` of `size`, `quad` if four of them lie side by side.
fn clamped(position: u32, size: u32, quad: bool) -> u32 {
  return select(position, min(position, size - select(1u, 4u, quad)), ALIGNED);
}

fn rowA(slice: u32, row: u32) -> Operand {
  let base = (slice / params.splits) * params.strideA;
  let place = clamped(row, params.rows, !A_ALONG_K);
  return Operand(base + place * select(1u, params.depth, A_ALONG_K), remaining(params.rows, row));
}

fn colB(slice: u32, col: u32) -> Operand {
  let base = (slice / params.splits) * params.strideB;
  let place = clamped(col, params.cols, !B_ALONG_K);
  return Operand(base + place * select(1u, params.depth, B_ALONG_K), remaining(params.cols, col));
}

// How many elements to load: along k those that the depth has left, else those that the operand has.
fn available(operand: Operand, depth: Depth, alongK: bool) -> u32 {
  if (ALIGNED) {
    return depth.count;
  }
  if (alongK) {
    return select(0u, depth.count, operand.count > 0u);
  }
  return select(0u, operand.count, depth.count > 0u);
}

fn loadA(row: Operand, depth: Depth) -> vec4<f32> {
  let index = row.start + depth.k * select(params.rows, 1u, A_ALONG_K);
  if (WHOLE_STEPS) {
    return fetchA(index);
  }
  return readA(index, available(row, depth, A_ALONG_K));
}

fn loadB(col: Operand, depth: Depth) -> vec4<f32> {
  let index = col.start + depth.k * select(params.cols, 1u, B_ALONG_K);
  if (WHOLE_STEPS) {
    return fetchB(index);
  }
  return readB(index, available(col, depth, B_ALONG_K));
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
