// Fragments of 16 x 16 as subgroup matrices. Same interface as lib/matrixEmulated.wgsl, for lib/gemmMatrix.wgsl.
// Needs subgroups of 32 invocations (the workgroup size has to be a multiple of the largest subgroup). The analysis of
// uniformity, which is off for loads and stores, does not know that the invocations of a subgroup share its index.

const SUBGROUP: u32 = 32u;
// Place of the invocation in its subgroup.
var<private> lane: u32;

alias Left = subgroup_matrix_left<f16, 16, 16>;
alias Right = subgroup_matrix_right<f16, 16, 16>;
alias Product = subgroup_matrix_result<f32, 16, 16>;

@diagnostic(off, chromium.subgroup_matrix_uniformity)
fn leftAtRows(at: u32) -> Left {
  return subgroupMatrixLoad<Left, row_major>(&tileA, at, A_STRIDE);
}

@diagnostic(off, chromium.subgroup_matrix_uniformity)
fn leftAtColumns(at: u32) -> Left {
  return subgroupMatrixLoad<Left, col_major>(&tileA, at, A_STRIDE);
}

@diagnostic(off, chromium.subgroup_matrix_uniformity)
fn rightAtRows(at: u32) -> Right {
  return subgroupMatrixLoad<Right, row_major>(&tileB, at, B_STRIDE);
}

@diagnostic(off, chromium.subgroup_matrix_uniformity)
fn rightAtColumns(at: u32) -> Right {
  return subgroupMatrixLoad<Right, col_major>(&tileB, at, B_STRIDE);
}

fn multiplyAdd(left: Left, right: Right, sum: Product) -> Product {
  return subgroupMatrixMultiplyAccumulate(left, right, sum);
}

@diagnostic(off, chromium.subgroup_matrix_uniformity)
fn storeProduct(at: u32, product: Product) {
  subgroupMatrixStore<row_major>(&staging, at, product, 16u);
}
