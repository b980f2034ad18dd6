import { DataError } from '../../errors.js';
import { fromF16Bits, toF16Bits } from '../formats/f16.js';
import { inTile, TILE } from './matrix-tiles.js';

/**
 * Q4_0 weights repacked for the matrix unit as in llama.cpp's Hexagon backend: one 32 x 32 tile is 512 B of nibbles in
 * tile order, then the 32 f16 scales of its rows: 576 B, aligned to 640 B. A tile row is one Q4_0 block, so codes and
 * scales are moved and nothing is rounded. The order of nibbles in a byte is this project's choice.
 */
const BLOCK_BYTES = 18;
const HALF = TILE / 2;
const NIBBLE_BYTES = (TILE * TILE) / 2;
export const PACKED_TILE_BYTES = NIBBLE_BYTES + TILE * 2;
export const PACKED_TILE_STRIDE = 640;

/** Code of the weight `column` (0-31) of a Q4_0 block at byte `at`. */
function blockCode(blocks: Uint8Array, at: number, column: number): number {
  const byte = blocks[at + 2 + (column % HALF)];
  return column < HALF ? byte & 15 : byte >>> 4;
}

/** @throws DataError unless both sides of W[out, in] are multiples of 32 and `bytes` has the right length */
function tiles(outWidth: number, inWidth: number, bytes: Uint8Array, bytesPerTile: number): [number, number] {
  if (outWidth % TILE !== 0 || inWidth % TILE !== 0) {
    throw new DataError(`a ${outWidth} x ${inWidth} matrix has no whole ${TILE} x ${TILE} tiles`);
  }
  const wanted = (outWidth / TILE) * (inWidth / TILE) * bytesPerTile;
  if (bytes.length !== wanted) {
    throw new DataError(`a ${outWidth} x ${inWidth} matrix takes ${wanted} B here, got ${bytes.length} B`);
  }
  return [outWidth / TILE, inWidth / TILE];
}

/** GGUF Q4_0 blocks of W[out, in], row-major, to packed tiles; tiles follow the depth first. */
export function packQ4Tiles(blocks: Uint8Array, outWidth: number, inWidth: number): Uint8Array {
  const [outTiles, depthTiles] = tiles(outWidth, inWidth, blocks, TILE * BLOCK_BYTES);
  const packed = new Uint8Array(outTiles * depthTiles * PACKED_TILE_STRIDE);
  forEachRow(outTiles, depthTiles, (block, tile, row) => {
    const at = block * BLOCK_BYTES;
    packed.set(blocks.subarray(at, at + 2), tile + NIBBLE_BYTES + 2 * row);
    for (let column = 0; column < TILE; column++) {
      const position = inTile(row, column);
      packed[tile + (position >> 1)] |= blockCode(blocks, at, column) << (4 * (position & 1));
    }
  });
  return packed;
}

/** The inverse of `packQ4Tiles`, bit for bit. */
export function unpackQ4Tiles(packed: Uint8Array, outWidth: number, inWidth: number): Uint8Array {
  const [outTiles, depthTiles] = tiles(outWidth, inWidth, packed, PACKED_TILE_STRIDE);
  const blocks = new Uint8Array(outTiles * depthTiles * TILE * BLOCK_BYTES);
  forEachRow(outTiles, depthTiles, (block, tile, row) => {
    const at = block * BLOCK_BYTES;
    const scale = tile + NIBBLE_BYTES + 2 * row;
    blocks.set(packed.subarray(scale, scale + 2), at);
    for (let column = 0; column < TILE; column++) {
      const code = packedCode(packed, tile, row, column);
      blocks[at + 2 + (column % HALF)] |= column < HALF ? code : code << 4;
    }
  });
  return blocks;
}

/** Code of a weight in the packed tile that begins at byte `tile`; its value is scale * (code - 8). */
export function packedCode(packed: Uint8Array, tile: number, row: number, column: number): number {
  const position = inTile(row, column);
  return (packed[tile + (position >> 1)] >>> (4 * (position & 1))) & 15;
}

/** Bits of the f16 scale of a row of the tile that begins at byte `tile`. */
export function packedScale(packed: Uint8Array, tile: number, row: number): number {
  const at = tile + NIBBLE_BYTES + 2 * row;
  return packed[at] | (packed[at + 1] << 8);
}

/** @param visit gets the Q4_0 block number, the first byte of the tile and the row in it */
function forEachRow(
  outTiles: number,
  depthTiles: number,
  visit: (block: number, tile: number, row: number) => void,
): void {
  for (let out = 0; out < outTiles; out++) {
    for (let depth = 0; depth < depthTiles; depth++) {
      const tile = (out * depthTiles + depth) * PACKED_TILE_STRIDE;
      for (let row = 0; row < TILE; row++) visit((out * TILE + row) * depthTiles + depth, tile, row);
    }
  }
}

/**
 * A packed tile as the vector unit hands it to the matrix unit: 1024 halves in tile order, each scale * (code - 8)
 * rounded to F16 once.
 * @param tile first byte of the tile
 */
export function dequantiseQ4Tile(packed: Uint8Array, tile: number): Uint16Array {
  const halves = new Uint16Array(TILE * TILE);
  for (let row = 0; row < TILE; row++) {
    const scale = fromF16Bits(packedScale(packed, tile, row));
    for (let column = 0; column < TILE; column++) {
      halves[inTile(row, column)] = toF16Bits(scale * (packedCode(packed, tile, row, column) - 8));
    }
  }
  return halves;
}
