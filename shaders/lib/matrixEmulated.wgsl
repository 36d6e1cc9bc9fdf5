// Fragments of 16 x 16 without subgroup matrices, so that lib/gemmMatrix.wgsl can be tested on any device: SUBGROUP
// neighbouring invocations share a fragment of the result, and operands are read where they lie in workgroup memory.
// Same interface as lib/matrixNative.wgsl.

const SUBGROUP: u32 = 32u;
const OWN: u32 = 16u * 16u / SUBGROUP;
// Place of the invocation in its group of SUBGROUP.
var<private> lane: u32;

// Where a fragment starts, and the distances of its rows and columns.
struct Fragment {
  at: u32,
  row: u32,
  column: u32,
}

alias Left = Fragment;
alias Right = Fragment;
// Elements lane * OWN and following, row by row.
alias Product = array<f32, OWN>;

fn leftAtRows(at: u32) -> Left { return Fragment(at, A_STRIDE, 1u); }
fn leftAtColumns(at: u32) -> Left { return Fragment(at, 1u, A_STRIDE); }
fn rightAtRows(at: u32) -> Right { return Fragment(at, B_STRIDE, 1u); }
fn rightAtColumns(at: u32) -> Right { return Fragment(at, 1u, B_STRIDE); }

fn multiplyAdd(left: Left, right: Right, sum: Product) -> Product {
  var result = sum;
  for (var i = 0u; i < OWN; i++) {
    let row = (lane * OWN + i) / 16u;
    let column = (lane * OWN + i) % 16u;
    for (var k = 0u; k < 16u; k++) {
      let a = f32(tileA[left.at + row * left.row + k * left.column]);
      result[i] += a * f32(tileB[right.at + k * right.row + column * right.column]);
    }
  }
  return result;
}

fn storeProduct(at: u32, product: Product) {
  for (var i = 0u; i < OWN; i++) {
    staging[at + lane * OWN + i] = product[i];
  }
}
