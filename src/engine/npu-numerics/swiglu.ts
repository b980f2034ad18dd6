const { fround } = Math;

/** silu(gate) * up, every step rounded to F32. */
export function gated(gate: Float32Array, up: Float32Array): Float32Array {
  return gate.map((g, i) => {
    const sigmoid = fround(1 / fround(1 + fround(Math.exp(-g))));
    return fround(g * sigmoid) * up[i];
  });
}
