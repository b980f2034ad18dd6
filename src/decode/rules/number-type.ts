/** Number format in which probabilities and confidences are kept. */
export const NUMBER_TYPES = ['f64', 'f32', 'bf16'] as const;
export type NumberType = (typeof NUMBER_TYPES)[number];

/** Rounds to nearest, ties to even. */
export function rounded(value: number, type: NumberType): number {
  if (type === 'f64') return value;
  const single = Math.fround(value);
  if (type === 'f32') return single;
  const bits = new Uint32Array(Float32Array.of(single).buffer);
  // bf16 is the upper half of an f32.
  bits[0] = (bits[0] + 0x7fff + ((bits[0] >>> 16) & 1)) & 0xffff0000;
  return new Float32Array(bits.buffer)[0];
}
