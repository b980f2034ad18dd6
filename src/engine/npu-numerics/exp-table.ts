import { fromF16Bits, toF16Bits } from '../../model/formats/f16.js';

/** Halves that are not positive: every pattern of the 15 bits beside the sign. 2 B each, 64 KiB in all. */
export const EXP_TABLE_ENTRIES = 1 << 15;

/**
 * 2^x for every x <= 0 that a half can hold, as in the softmax of arXiv:2509.23324 (section 5; its operator library
 * builds the table in F32 and keeps it in on-chip memory, where the vector unit gathers from it). Softmax subtracts
 * the maximum first, so the sign of the argument is known and its other 15 bits are the index; the factor log2(e) is
 * part of the score scale.
 *
 * Entry i holds the half nearest to 2^-v, v the half with bits i. Infinity gives 0, NaN gives NaN.
 */
export function expTableBits(): Uint16Array {
  return Uint16Array.from({ length: EXP_TABLE_ENTRIES }, (_, index) =>
    toF16Bits(Math.fround(2 ** -fromF16Bits(index))),
  );
}

let values: Float32Array | undefined;

/** The values of `expTableBits`, built once. */
function tableValues(): Float32Array {
  values ??= Float32Array.from(expTableBits(), fromF16Bits);
  return values;
}

/** Looks 2^x up for x = high - low as the vector unit does: the difference rounded to F16, its sign dropped. */
export type Exp2OfDifference = (low: number, high: number) => number;

export function exp2OfDifference(): Exp2OfDifference {
  const table = tableValues();
  return (low, high) => table[toF16Bits(low - high) & 0x7fff];
}
