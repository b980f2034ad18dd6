import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataError } from '../../../src/errors.js';
import { decodeWeight, encodeWeight } from '../../../src/model/formats/codec.js';
import { fromF16Bits } from '../../../src/model/formats/f16.js';
import {
  fromTiles,
  inTile,
  TILE,
  tiledIndex,
  tiledShape,
  toTiles,
} from '../../../src/model/layout/matrix-tiles.js';
import {
  PACKED_TILE_BYTES,
  PACKED_TILE_STRIDE,
  packedCode,
  packedScale,
  packQ4Tiles,
  unpackQ4Tiles,
} from '../../../src/model/layout/packed-q4-0.js';

const side = fc.integer({ min: 1, max: 80 });
const tilesAcross = fc.integer({ min: 1, max: 3 });

describe('tile order of the matrix unit', () => {
  it('interleaves two rows', () => {
    expect([inTile(0, 0), inTile(1, 0), inTile(0, 1), inTile(1, 1), inTile(2, 0)]).toEqual([0, 1, 2, 3, 64]);
  });

  it('puts every element at its own place: a permutation of whole tiles', () => {
    fc.assert(
      fc.property(tilesAcross, tilesAcross, (down, across) => {
        const shape = tiledShape(down * TILE, across * TILE);
        const seen = new Set<number>();
        for (let row = 0; row < shape.rows; row++) {
          for (let column = 0; column < shape.columns; column++) seen.add(tiledIndex(shape, row, column));
        }
        expect(seen.size).toBe(shape.elements);
        expect(Math.max(...seen)).toBe(shape.elements - 1);
      }),
      { numRuns: 9 },
    );
  });

  it('round-trips bit for bit, NaN payloads included, and pads with 0', () => {
    fc.assert(
      fc.property(side, side, fc.integer(), (rows, columns, seed) => {
        const bits = Uint16Array.from({ length: rows * columns }, (_, at) => (at * 40503 + seed) & 0xffff);
        const tiled = toTiles(bits, rows, columns);
        expect(fromTiles(tiled, rows, columns)).toEqual(bits);
        const zeros = (array: Uint16Array) => array.reduce((count, value) => count + Number(value === 0), 0);
        expect(zeros(tiled)).toBe(zeros(bits) + tiled.length - bits.length);
      }),
    );
  });
});

/** Q4_0 blocks of any content: scales of any bits, codes of any value. */
const matrix = fc
  .tuple(tilesAcross, tilesAcross, fc.integer({ min: 1 }))
  .map(([outTiles, depthTiles, seed]) => {
    const blocks = new Uint8Array(outTiles * TILE * depthTiles * 18);
    let state = seed;
    for (let at = 0; at < blocks.length; at++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      blocks[at] = state >>> 24;
    }
    return { blocks, out: outTiles * TILE, depth: depthTiles * TILE };
  });

describe('packed Q4_0 tiles', () => {
  it('take the 576 B of llama.cpp, aligned to 640 B', () => {
    expect([PACKED_TILE_BYTES, PACKED_TILE_STRIDE]).toEqual([576, 640]);
  });

  it('round-trip bit for bit', () => {
    fc.assert(
      fc.property(matrix, ({ blocks, out, depth }) => {
        expect(unpackQ4Tiles(packQ4Tiles(blocks, out, depth), out, depth)).toEqual(blocks);
      }),
      { numRuns: 30 },
    );
  });

  it('give the same product as the plain layout, bit for bit in the same order of additions', () => {
    const [rows, out, depth] = [3, 64, 96];
    const wave = (length: number, step: number) =>
      Float32Array.from({ length }, (_, at) => Math.sin(at * step));
    const x = wave(rows * depth, 0.37);
    const blocks = encodeWeight('q4_0', wave(out * depth, 0.11), 'w');
    const plain = decodeWeight('q4_0', blocks, 'w');
    const packed = packQ4Tiles(blocks, out, depth);
    const weight = (o: number, d: number): number => {
      const tile = (Math.floor(o / TILE) * (depth / TILE) + Math.floor(d / TILE)) * PACKED_TILE_STRIDE;
      const scale = fromF16Bits(packedScale(packed, tile, o % TILE));
      return scale * (packedCode(packed, tile, o % TILE, d % TILE) - 8);
    };
    for (let row = 0; row < rows; row++) {
      for (let o = 0; o < out; o++) {
        let [a, b] = [0, 0];
        for (let d = 0; d < depth; d++) {
          a = Math.fround(a + Math.fround(x[row * depth + d] * plain[o * depth + d]));
          b = Math.fround(b + Math.fround(x[row * depth + d] * Math.fround(weight(o, d))));
        }
        expect(b).toBe(a);
      }
    }
  });

  it('refuse sizes that are no whole tiles, and wrong lengths', () => {
    expect(() => packQ4Tiles(new Uint8Array(18), 1, 32)).toThrow(DataError);
    expect(() => packQ4Tiles(new Uint8Array(18), 32, 32)).toThrow(/takes 576 B here, got 18 B/);
    expect(() => unpackQ4Tiles(new Uint8Array(576), 32, 32)).toThrow(/takes 640 B here, got 576 B/);
  });
});
