import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CODECS, WEIGHT_DTYPES } from '../../src/model/formats/blocks/index.js';
import { loadGgml } from '../oracle/libggml.js';
import { randomBlocks } from '../support/blocks.js';

const ggml = await loadGgml();
const PACKED = WEIGHT_DTYPES.filter((dtype) => CODECS[dtype].packed !== null);
const WRITTEN = PACKED.filter((dtype) => CODECS[dtype].encode !== null);
const RUNS = Number(process.env.DLLM_FUZZ_RUNS ?? 100);

const bits = (values: Float32Array) => new Uint32Array(values.buffer, values.byteOffset, values.length);

describe('blocks', () => {
  it.skipIf(ggml === null).each(PACKED)(
    '%s: values of random blocks are those of libggml, bit by bit',
    (dtype) => {
      fc.assert(
        fc.property(
          fc.integer({ min: 1, max: 2 ** 31 - 1 }),
          fc.integer({ min: 1, max: 5 }),
          (seed, count) => {
            const bytes = randomBlocks(dtype, count, seed);
            expect(bits(CODECS[dtype].decode(bytes))).toEqual(bits(ggml!.dequantise(dtype, bytes)));
          },
        ),
        { numRuns: RUNS },
      );
    },
  );

  // Below the smallest half a scale is 0, and what ggml divides by it says nothing.
  const value = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.float({ min: -4, max: 4, noNaN: true }).map((x) => (Math.abs(x) < 1e-12 ? 0 : x)),
    },
    { weight: 1, arbitrary: fc.constantFrom(0, 1, -1, 0.5, 1e-3, -1e-6, 100, -1000) },
  );
  const rows = fc.oneof(
    fc.array(value, { minLength: 256, maxLength: 256 }),
    fc.array(value, { minLength: 512, maxLength: 512 }),
    // Runs of one value, offsets, and few distinct values: where searches tie.
    fc.tuple(value, value).map(([a, b]) => Array.from({ length: 256 }, (_, i) => (i % 7 === 0 ? b : a))),
    fc
      .integer({ min: 1, max: 1000 })
      .map((seed) =>
        Array.from({ length: 256 }, (_, i) => Math.fround(Math.sin(seed * 12.9898 + i * 78.233) * 0.05)),
      ),
  );

  it.skipIf(ggml === null).each(WRITTEN)('%s: bytes of random values are those of libggml', (dtype) => {
    fc.assert(
      fc.property(rows, (values) => {
        const x = Float32Array.from(values);
        const own = Buffer.from(CODECS[dtype].encode!(x)).toString('hex');
        expect(own).toBe(Buffer.from(ggml!.quantise(dtype, x)).toString('hex'));
      }),
      { numRuns: RUNS },
    );
  });

  it('have the values and bytes that libggml gave, where there is no library to ask', () => {
    const golden = JSON.parse(
      readFileSync(new URL('../golden/ggml-formats.json', import.meta.url), 'utf8'),
    ) as { decoded: Record<string, string>; encoded: Record<string, string> };
    const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex').slice(0, 32);
    const decoded = PACKED.map((dtype) => {
      const values = CODECS[dtype].decode(randomBlocks(dtype, 64, 7));
      return [dtype, digest(new Uint8Array(values.buffer))];
    });
    expect(Object.fromEntries(decoded)).toEqual(golden.decoded);
    const x = Float32Array.from({ length: 4096 }, (_, i) => Math.fround((((i * 7919) % 4093) - 2046) / 1024));
    const encoded = WRITTEN.map((dtype) => [dtype, digest(CODECS[dtype].encode!(x))]);
    expect(Object.fromEntries(encoded)).toEqual(golden.encoded);
  });
});
