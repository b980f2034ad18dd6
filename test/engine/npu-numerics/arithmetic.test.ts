import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attend } from '../../../src/engine/npu-numerics/attention.js';
import { EXP_TABLE_ENTRIES, expTableBits } from '../../../src/engine/npu-numerics/exp-table.js';
import { loadOperands } from '../../../src/engine/npu-numerics/operands.js';
import { product } from '../../../src/engine/npu-numerics/product.js';
import { decodeWeight, encodeWeight } from '../../../src/model/formats/codec.js';
import { fromF16Bits, toF16Bits } from '../../../src/model/formats/f16.js';
import { roundToF16 } from '../../../src/model/formats/f16-round.js';
import type { AttentionOp } from '../../../src/model/graph.js';
import { TILE, tiledShape, toTiles } from '../../../src/model/layout/matrix-tiles.js';
import { dequantiseQ4Tile, PACKED_TILE_STRIDE, packQ4Tiles } from '../../../src/model/layout/packed-q4-0.js';
import { memoryWeights } from '../../../src/model/weights.js';
import { Random } from '../../../src/score/random.js';
import { randomWeights, tinyConfig } from '../../support/tiny-model.js';

const halves = (length: number, seed: number, scale = 1): Float32Array => {
  const random = new Random(seed);
  const values = Float32Array.from({ length }, () => scale * (2 * random.next() - 1));
  roundToF16(values);
  return values;
};

describe('rounding to F16', () => {
  it('keeps every half, and every f32 goes where the codec puts it', () => {
    const every = Float32Array.from({ length: 65536 }, (_, bits) => fromF16Bits(bits));
    const kept = every.slice();
    expect(roundToF16(kept)).toBe(false);
    every.forEach((value, bits) => {
      if (!Object.is(kept[bits], value)) throw new Error(`half ${bits}: ${value} became ${kept[bits]}`);
    });
    fc.assert(
      fc.property(fc.float({ noNaN: true }), (value) => {
        const one = Float32Array.of(value);
        const finite = roundToF16(one);
        expect(one[0]).toBe(fromF16Bits(toF16Bits(value)));
        expect(finite).toBe(Number.isFinite(one[0]));
      }),
      { numRuns: 2000 },
    );
    // Halfway cases go to even, in the subnormal range too.
    for (let bits = 0; bits < 0x7bff; bits++) {
      const middle = Float32Array.of((fromF16Bits(bits) + fromF16Bits(bits + 1)) / 2);
      roundToF16(middle);
      if (middle[0] !== fromF16Bits(bits + (bits & 1))) throw new Error(`between ${bits} and the next half`);
    }
  });
});

describe('the exponential table', () => {
  it('is 64 KiB of 2^x for x <= 0, falling, 1 at 0 and 0 at minus infinity', () => {
    const table = expTableBits();
    expect(table.byteLength).toBe(65536);
    expect(table).toHaveLength(EXP_TABLE_ENTRIES);
    expect([fromF16Bits(table[0]!), table[0x7c00]]).toEqual([1, 0]);
    for (let bits = 1; bits <= 0x7c00; bits++) {
      if (table[bits]! > table[bits - 1]!) throw new Error(`entry ${bits} rises`);
      const exact = 2 ** -fromF16Bits(bits);
      const error = Math.abs(fromF16Bits(table[bits]!) - exact);
      if (error > Math.max(exact * 2 ** -11, 2 ** -25) * 1.0001) throw new Error(`entry ${bits} is off`);
    }
  });
});

/** The matrix unit, tile by tile: operands read where the layouts put them, depth tiles in order. */
function tiledProduct(
  x: Uint16Array,
  weightTile: (out: number, depth: number) => Uint16Array,
  rows: number,
  outWidth: number,
  inWidth: number,
): Float32Array {
  const shape = tiledShape(rows, inWidth);
  const xTiles = toTiles(x, rows, inWidth);
  const y = new Float32Array(rows * outWidth);
  for (let row = 0; row < rows; row++) {
    for (let out = 0; out < outWidth; out++) {
      let sum = 0;
      for (let tile = 0; tile < inWidth / TILE; tile++) {
        const w = weightTile(Math.floor(out / TILE), tile);
        const base = (tile * shape.rowTiles + Math.floor(row / TILE)) * TILE * TILE;
        for (let k = 0; k < TILE; k++) {
          const at = (r: number) => (r >> 1) * 64 + k * 2 + (r & 1);
          const a = fromF16Bits(xTiles[base + at(row % TILE)]!);
          sum = Math.fround(sum + a * fromF16Bits(w[at(out % TILE)]!));
        }
      }
      y[row * outWidth + out] = sum;
    }
  }
  return y;
}

describe('products', () => {
  it('of packed Q4_0 tiles equal those of the plain layout, bit for bit', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 1e6 }),
        (rows, outTiles, depthTiles, seed) => {
          const [outWidth, inWidth] = [outTiles * TILE, depthTiles * TILE];
          const blocks = encodeWeight('q4_0', halves(outWidth * inWidth, seed, 0.3), 'w');
          const packed = packQ4Tiles(blocks, outWidth, inWidth);
          const w = decodeWeight('q4_0', blocks, 'w');
          roundToF16(w);
          const x = halves(rows * inWidth, seed + 1, 4);
          const plain = product(x, w, rows, outWidth, inWidth);
          const tiles = Array.from({ length: outTiles * depthTiles }, (_, at) =>
            dequantiseQ4Tile(packed, at * PACKED_TILE_STRIDE),
          );
          const tile = (out: number, depth: number) => tiles[out * depthTiles + depth];
          const tiled = tiledProduct(Uint16Array.from(x, toF16Bits), tile, rows, outWidth, inWidth);
          expect(tiled).toEqual(plain);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('add in F32 one depth element after the other, whatever the blocking', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 11 }),
        fc.integer({ min: 1, max: 70 }),
        fc.integer({ min: 1, max: 1e6 }),
        (rows, columns, depth, seed) => {
          const [x, w] = [halves(rows * depth, seed, 100), halves(columns * depth, seed + 1)];
          const y = product(x, w, rows, columns, depth);
          for (let row = 0; row < rows; row++) {
            for (let column = 0; column < columns; column++) {
              let sum = 0;
              for (let k = 0; k < depth; k++) {
                sum = Math.fround(sum + Math.fround(x[row * depth + k]! * w[column * depth + k]!));
              }
              expect(y[row * columns + column]).toBe(sum);
            }
          }
        },
      ),
    );
  });

  it('refuse a weight that F16 tiles cannot hold', async () => {
    const config = tinyConfig();
    const source = randomWeights(config);
    const id = 'blk.1.ffn_up.weight';
    const tensors = new Map<string, { shape: readonly number[]; values: Float32Array }>();
    for (const name of source.names()) {
      const values = (await source.read(name)).slice();
      if (name === id) values[7] = 70_000;
      tensors.set(name, { shape: source.info(name)!.shape, values });
    }
    await expect(loadOperands(config, memoryWeights('big', tensors))).rejects.toThrow(
      /big: weight blk\.1\.ffn_up\.weight has values beyond 65504/,
    );
  });
});

describe('attention', () => {
  const op = (rows: number, keys: number, masked: boolean): AttentionOp => ({
    id: 'a',
    kind: 'attention',
    layer: 0,
    inputs: [],
    weights: [],
    outputs: [],
    macs: 0,
    vectorElements: 0,
    rows,
    heads: 4,
    kvHeads: 2,
    headDim: 8,
    kvSets: [],
    keys,
    masked,
  });

  it('is the softmax average within F16, in one block of keys or several, with keys hidden', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 40 }),
        fc.constantFrom(7, 16, 64),
        fc.boolean(),
        fc.integer({ min: 1, max: 1e6 }),
        (rows, keys, keyBlock, masked, seed) => {
          const shape = op(rows, keys, masked);
          const [q, k, v] = [
            halves(rows * 32, seed, 3),
            halves(keys * 16, seed + 1, 3),
            halves(keys * 16, seed + 2),
          ];
          const random = new Random(seed);
          const seen = Float32Array.from({ length: rows * keys }, (_, i) =>
            !masked || i % keys === 0 || random.next() < 0.5 ? 1 : 0,
          );
          const mixed = attend(shape, { q, k, v, ...(masked ? { visibility: seen } : {}) }, keyBlock);
          for (let row = 0; row < rows; row++) {
            for (let head = 0; head < 4; head++) {
              const kv = Math.floor(head / 2);
              const powers = Array.from({ length: keys }, (_, key) => {
                let score = 0;
                for (let d = 0; d < 8; d++) score += q[row * 32 + head * 8 + d]! * k[key * 16 + kv * 8 + d]!;
                return seen[row * keys + key] === 0 ? 0 : Math.exp(score / Math.sqrt(8));
              });
              const total = powers.reduce((a, b) => a + b);
              for (let d = 0; d < 8; d++) {
                const exact = powers.reduce((sum, p, key) => sum + p * v[key * 16 + kv * 8 + d]!, 0) / total;
                expect(Math.abs(mixed[row * 32 + head * 8 + d]! - exact)).toBeLessThan(0.02);
              }
            }
          }
        },
      ),
    );
  });
});
