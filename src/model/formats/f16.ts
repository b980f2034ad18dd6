/** IEEE 754 binary16, round to nearest even, as bit patterns (Node 20 has no Float16Array). */

const f32 = new Float32Array(1);
const bits = new Uint32Array(f32.buffer);

/** Nearest half of an f32 value; overflow gives infinity, NaN stays NaN. */
export function toF16Bits(value: number): number {
  f32[0] = value;
  const x = bits[0];
  const sign = (x >>> 16) & 0x8000;
  const magnitude = x & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  // 65520 is halfway between the largest half and the next power of two: it and everything above overflow.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) {
    // Normal half: rebias the exponent, then round the 13 bits that go.
    const rebiased = magnitude - 0x38000000;
    return sign | ((rebiased + 0xfff + ((rebiased >>> 13) & 1)) >>> 13);
  }
  // Subnormal half: a multiple of 2^-24. The product is exact and Math's rounding to even is done by f32 addition
  // of 1.5 * 2^23, which leaves the integer in the low mantissa bits.
  f32[0] = Math.fround(Math.abs(value) * 2 ** 24) + 12582912;
  return sign | (bits[0] & 0xffff);
}

/** Exact value of a half. */
export function fromF16Bits(half: number): number {
  const exponent = (half >>> 10) & 0x1f;
  const fraction = half & 0x3ff;
  const sign = half & 0x8000 ? -1 : 1;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
