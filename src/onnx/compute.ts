/**
 * How products with quantised weights are computed: `f32` multiplies f32 activations by dequantised weights; `int8`
 * lets the runtime round activations to 8 bits per block of 32 first, as llama.cpp does: faster, not exact.
 */
export const COMPUTES = ['f32', 'int8'] as const;
export type Compute = (typeof COMPUTES)[number];
