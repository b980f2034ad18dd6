import { expTableBits } from '../../src/engine/npu-numerics/exp-table.js';
import { dequantiseQ4Tile, PACKED_TILE_STRIDE, packQ4Tiles } from '../../src/model/layout/packed-q4-0.js';
import { type BlockCount, HVX_KERNELS, type HvxKernel, HvxKernels } from './kernels.js';

/** A kernel executed on every input that it can get, beside what npu-numerics computes. */
export interface HvxComparison {
  readonly kernel: HvxKernel;
  readonly inBytes: number;
  readonly outBytes: number;
  readonly bitsCompared: number;
  readonly differentHalves: number;
  /** Integer variant, executed by the emulator, one block. */
  readonly executed: BlockCount;
  /** Variant with V69 float instructions, compiled only. */
  readonly float: BlockCount;
}

/**
 * Packed tiles in which every finite F16 scale, of either sign, meets every code twice.
 */
export function everyScaleAndCode(): Uint8Array {
  const magnitudes = 0x7c00;
  const rows = 2 * magnitudes;
  const blocks = new Uint8Array(rows * 18);
  for (let row = 0; row < rows; row++) {
    const scale = (row >> 1) | ((row & 1) << 15);
    blocks[row * 18] = scale & 255;
    blocks[row * 18 + 1] = scale >> 8;
    for (let j = 0; j < 16; j++) blocks[row * 18 + 2 + j] = j | ((15 - j) << 4);
  }
  return packQ4Tiles(blocks, rows, 32);
}

/** All tiles of a packed matrix as npu-numerics dequantises them, in order. */
export function dequantiseTiles(packed: Uint8Array): Uint16Array {
  const halves = new Uint16Array((packed.length / PACKED_TILE_STRIDE) * 1024);
  for (let tile = 0; tile * PACKED_TILE_STRIDE < packed.length; tile++) {
    halves.set(dequantiseQ4Tile(packed, tile * PACKED_TILE_STRIDE), tile * 1024);
  }
  return halves;
}

/** @throws EnvironmentError when a tool of the Hexagon toolchain is missing */
export function compareHvxKernels(): readonly HvxComparison[] {
  const kernels = new HvxKernels();
  try {
    const table = expTableBits();
    const packed = everyScaleAndCode();
    const halves = Uint16Array.from({ length: 65536 }, (_, bits) => bits);
    return [
      compare(kernels, 'dequantise-q4_0', packed, dequantiseTiles(packed)),
      compare(
        kernels,
        'exp2',
        new Uint8Array(halves.buffer),
        halves.map((bits) => table[bits & 0x7fff]),
        table,
      ),
    ];
  } finally {
    kernels.dispose();
  }
}

function compare(
  kernels: HvxKernels,
  kernel: HvxKernel,
  input: Uint8Array,
  wanted: Uint16Array,
  table?: Uint16Array,
): HvxComparison {
  const { inBytes, outBytes } = HVX_KERNELS[kernel];
  const result = kernels.run(kernel, input, table);
  const actual = new Uint16Array(result.buffer, result.byteOffset, result.byteLength / 2);
  let differentHalves = 0;
  wanted.forEach((bits, i) => {
    if (actual[i] !== bits) differentHalves += 1;
  });
  return {
    kernel,
    inBytes,
    outBytes,
    bitsCompared: 16 * wanted.length,
    differentHalves,
    executed: kernels.executed(kernel, input.subarray(0, inBytes), table),
    float: kernels.compiledForV69(kernel),
  };
}
