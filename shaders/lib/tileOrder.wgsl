// Order in which workgroups make the tiles of a matrix product: in blocks of eight tile rows, column by column, so that
// neighbours share tiles of B in the cache.

const TILE_ROWS_PER_BLOCK: u32 = 8u;

// Tile row and tile column of the tile with this number.
fn tileOrigin(tile: u32, tileRows: u32, tileCols: u32) -> vec2<u32> {
  let block = tile / (TILE_ROWS_PER_BLOCK * tileCols);
  let rowsInBlock = min(TILE_ROWS_PER_BLOCK, tileRows - block * TILE_ROWS_PER_BLOCK);
  let inBlock = tile % (TILE_ROWS_PER_BLOCK * tileCols);
  return vec2<u32>(block * TILE_ROWS_PER_BLOCK + inBlock % rowsInBlock, inBlock / rowsInBlock);
}
