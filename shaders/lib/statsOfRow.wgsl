// Statistics of a normalisation with one pair per row (layer norm). Same interface as lib/statsOfColumn.wgsl.

@group(0) @binding(2) var<storage, read> meanOf: array<f32>;
@group(0) @binding(3) var<storage, read> spreadOf: array<f32>;

fn statsIndex(row: u32, column: u32) -> u32 {
  return row;
}
