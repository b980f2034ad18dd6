const LARGEST_HALF = 0x477fe000;
const SMALLEST_NORMAL_HALF = 0x38800000;
const F32_INFINITY = 0x7f800000;

/**
 * Replaces every value by the nearest half, ties to even, kept as f32: what storing it as F16 and loading it again
 * does. Subnormal halves are kept; what is too large becomes infinite.
 * @returns whether every result is finite
 */
export function roundToF16(values: Float32Array): boolean {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  let finite = true;
  for (let i = 0; i < bits.length; i++) {
    const x = bits[i];
    const magnitude = x & 0x7fffffff;
    const sign = x & 0x80000000;
    if (magnitude >= SMALLEST_NORMAL_HALF) {
      const rounded = (magnitude + 0xfff + ((magnitude >>> 13) & 1)) & ~0x1fff;
      if (rounded <= LARGEST_HALF) bits[i] = sign | rounded;
      else {
        finite = false;
        if (magnitude <= F32_INFINITY) bits[i] = sign | F32_INFINITY;
      }
    } else {
      // The last place of an f32 near 0.75 is the spacing of subnormal halves, so f32 addition rounds to it.
      values[i] = Math.fround(Math.fround(Math.abs(values[i]) + 0.75) - 0.75);
      bits[i] |= sign;
    }
  }
  return finite;
}
