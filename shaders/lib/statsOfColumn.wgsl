// Statistics of a normalisation with one pair per channel (batch norm). Same interface as lib/statsOfRow.wgsl.
// Expects Element (lib/element*.wgsl).

@group(0) @binding(2) var<storage, read> meanOf: array<Element>;
@group(0) @binding(3) var<storage, read> spreadOf: array<Element>;

fn statsIndex(row: u32, column: u32) -> u32 {
  return column;
}
