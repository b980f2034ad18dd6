/**
 * FP16 tile order of the matrix unit (arXiv:2509.23324, arXiv:2606.13740 section 2.2): 32 x 32 elements, two rows
 * interleaved, tiles of a matrix column by column. 16-bit elements are moved, never converted.
 */
export const TILE = 32;
const ELEMENTS = TILE * TILE;

/** Position of element (row, column) inside its tile. */
export function inTile(row: number, column: number): number {
  return (row >> 1) * 2 * TILE + column * 2 + (row & 1);
}

/** A matrix of `rows` x `columns` padded to whole tiles. */
export interface TiledShape {
  readonly rows: number;
  readonly columns: number;
  readonly rowTiles: number;
  readonly columnTiles: number;
  /** Elements with padding. */
  readonly elements: number;
}

export function tiledShape(rows: number, columns: number): TiledShape {
  const rowTiles = Math.ceil(rows / TILE);
  const columnTiles = Math.ceil(columns / TILE);
  return { rows, columns, rowTiles, columnTiles, elements: rowTiles * columnTiles * ELEMENTS };
}

/** Position of element (row, column) in tile order. */
export function tiledIndex({ rowTiles }: TiledShape, row: number, column: number): number {
  const tile = Math.floor(column / TILE) * rowTiles + Math.floor(row / TILE);
  return tile * ELEMENTS + inTile(row % TILE, column % TILE);
}

/** Row-major to tile order; padding is 0. */
export function toTiles(bits: Uint16Array, rows: number, columns: number): Uint16Array {
  const shape = tiledShape(rows, columns);
  const tiled = new Uint16Array(shape.elements);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      tiled[tiledIndex(shape, row, column)] = bits[row * columns + column];
    }
  }
  return tiled;
}

/** Tile order back to row-major, padding dropped. */
export function fromTiles(tiled: Uint16Array, rows: number, columns: number): Uint16Array {
  const shape = tiledShape(rows, columns);
  const bits = new Uint16Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      bits[row * columns + column] = tiled[tiledIndex(shape, row, column)];
    }
  }
  return bits;
}
