import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dequantiseTiles, everyScaleAndCode } from '../../../hw/hvx/compare.js';
import { HvxKernels } from '../../../hw/hvx/kernels.js';
import { parsePackets } from '../../../hw/hvx/packets.js';
import { missingHexagonTools } from '../../../hw/hvx/toolchain.js';
import { expTableBits } from '../../../src/engine/npu-numerics/exp-table.js';
import { encodeWeight } from '../../../src/model/formats/codec.js';
import { PACKED_TILE_STRIDE, packQ4Tiles } from '../../../src/model/layout/packed-q4-0.js';
import { Random } from '../../../src/score/random.js';

const missing = missingHexagonTools();
if (missing.length > 0) console.warn(`HVX kernels are not executed: ${missing.join(', ')} not installed`);

it('reads packets of a disassembly', () => {
  const text = [
    '00000210 <f>:',
    '     210: { \timmext(#65472)',
    '     214:   \tr3 = ##65535',
    '     218:   \tv0 = vmem(r1+#0) } ',
    '     21c: { \tv0.h = vasl(v0.h,r4) } ',
    '     220: { \tnop',
    '     224:   \tjumpr r31 } ',
  ].join('\n');
  expect(parsePackets(text)).toEqual([
    { address: 0x210, instructions: 2 },
    { address: 0x21c, instructions: 1 },
    { address: 0x220, instructions: 1 },
  ]);
});

describe.skipIf(missing.length > 0)('HVX kernels under qemu-hexagon', () => {
  let kernels: HvxKernels;
  beforeAll(() => {
    kernels = new HvxKernels();
  });
  afterAll(() => kernels?.dispose());

  const halves = (bytes: Uint8Array): Uint16Array =>
    new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);

  /** Bit for bit; a diff of a million elements would help nobody. */
  const expectSame = (actual: Uint16Array, wanted: Uint16Array): void => {
    expect(actual).toHaveLength(wanted.length);
    const at = actual.findIndex((bits, i) => bits !== wanted[i]);
    expect(at < 0 ? null : { at, bits: actual[at], wanted: wanted[at] }).toBeNull();
  };

  it('dequantise every finite scale with every code as npu-numerics does, bit for bit', () => {
    const packed = everyScaleAndCode();
    expect(packed.length / PACKED_TILE_STRIDE).toBe((2 * 31_744) / 32);
    expectSame(halves(kernels.run('dequantise-q4_0', packed)), dequantiseTiles(packed));
  }, 60_000);

  it('dequantise quantised matrices of several depth tiles', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 4 }),
        fc.nat(),
        (out, depth, seed) => {
          const random = new Random(seed);
          const values = Float32Array.from({ length: out * depth * 1024 }, () => random.next() - 0.5);
          const packed = packQ4Tiles(encodeWeight('q4_0', values, 'w'), out * 32, depth * 32);
          expectSame(halves(kernels.run('dequantise-q4_0', packed)), dequantiseTiles(packed));
        },
      ),
      { numRuns: 5 },
    );
  }, 60_000);

  it('look up 2^x for every half that is not positive, with its sign or without', () => {
    const table = expTableBits();
    const x = Uint16Array.from({ length: 65536 }, (_, bits) => bits);
    const got = halves(kernels.run('exp2', new Uint8Array(x.buffer), table));
    expectSame(
      got,
      x.map((bits) => table[bits & 0x7fff]),
    );
  }, 60_000);

  it('count the same instructions for every content, and fewer with float products', () => {
    const random = new Random(5);
    const tile = Uint8Array.from({ length: 640 }, () => random.integer(0, 255));
    const executed = kernels.executed('dequantise-q4_0', tile);
    expect(kernels.executed('dequantise-q4_0', new Uint8Array(640))).toEqual(executed);
    const compiled = kernels.compiledForV69('dequantise-q4_0');
    expect(compiled.instructions).toBeLessThan(executed.instructions);
    // 16 results of 64 halves need a product, a conversion and a store each.
    expect(compiled.instructions).toBeGreaterThan(48);
    expect(compiled.packets).toBeLessThanOrEqual(compiled.instructions);
    const exp = kernels.executed('exp2', new Uint8Array(128), expTableBits());
    expect(exp.packets).toBe(kernels.compiledForV69('exp2').packets);
  }, 60_000);

  it('refuse input that is no whole block', () => {
    expect(() => kernels.run('exp2', new Uint8Array(100))).toThrow(/blocks of 128 B, got 100 B/);
  });
});
