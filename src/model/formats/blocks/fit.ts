import { nearestInt } from './rounding.js';

/**
 * ggml's searches for the scale of a group (ggml-quants.c: make_qkx2_quants, make_qx_quants), rounded to f32 where C
 * rounds, so that the bytes are equal.
 */

/** Groups below this are zeros (GROUP_MAX_EPS). */
export const SMALLEST = Math.fround(1e-15);

const { fround } = Math;

const clamp = (value: number, least: number, greatest: number) => Math.max(least, Math.min(greatest, value));

/**
 * Scale and negated minimum of least weighted square error: x ~ scale * code - min, codes 0 to `most`. Tries 21 scales.
 * @param codes filled with the codes of the best
 */
export function bestRange(
  x: Float32Array,
  weights: Float32Array,
  most: number,
  codes: Uint8Array,
): { readonly scale: number; readonly min: number } {
  let [min, max] = [x[0], x[0]];
  let sumW = weights[0];
  let sumX = fround(sumW * x[0]);
  for (let i = 1; i < x.length; i++) {
    if (x[i] < min) min = x[i];
    if (x[i] > max) max = x[i];
    sumW = fround(sumW + weights[i]);
    sumX = fround(sumX + fround(weights[i] * x[i]));
  }
  if (min > 0) min = 0;
  if (max === min) {
    codes.fill(0);
    return { scale: 0, min: -min };
  }
  const codesAt = (inverse: number, into: Uint8Array) => {
    for (let i = 0; i < x.length; i++)
      into[i] = clamp(nearestInt(fround(inverse * fround(x[i] - min))), 0, most);
  };
  const errorOf = (tried: Uint8Array, scale: number, least: number) => {
    let error = 0;
    for (let i = 0; i < x.length; i++) {
      const difference = fround(fround(fround(scale * tried[i]) + least) - x[i]);
      error = fround(error + fround(weights[i] * fround(difference * difference)));
    }
    return error;
  };
  const first = fround(most / fround(max - min));
  let scale = fround(1 / first);
  codesAt(first, codes);
  let best = errorOf(codes, scale, min);
  const tried = new Uint8Array(x.length);
  for (let step = 0; step <= 20; step++) {
    const wider = fround(fround(-1 + fround(fround(0.1) * step)) + most);
    // From the minimum of the best so far, as ggml does.
    codesAt(fround(wider / fround(max - min)), tried);
    let [sumL, sumL2, sumXL] = [0, 0, 0];
    for (let i = 0; i < x.length; i++) {
      const weighted = fround(weights[i] * tried[i]);
      sumL = fround(sumL + weighted);
      sumL2 = fround(sumL2 + fround(weighted * tried[i]));
      sumXL = fround(sumXL + fround(weighted * x[i]));
    }
    const determinant = fround(fround(sumW * sumL2) - fround(sumL * sumL));
    if (!(determinant > 0)) continue;
    let thisScale = fround(fround(fround(sumW * sumXL) - fround(sumX * sumL)) / determinant);
    let thisMin = fround(fround(fround(sumL2 * sumX) - fround(sumL * sumXL)) / determinant);
    if (thisMin > 0) {
      thisMin = 0;
      thisScale = fround(sumXL / sumL2);
    }
    const error = errorOf(tried, thisScale, thisMin);
    if (error < best) {
      codes.set(tried);
      best = error;
      scale = thisScale;
      min = thisMin;
    }
  }
  return { scale, min: -min };
}

/**
 * Scale of least square error weighted by the squares: x ~ scale * (code - most), codes 0 to 2 * most - 1. Tries 19 scales.
 * @param codes filled with the codes of the best
 */
export function bestScale(x: Float32Array, most: number, codes: Uint8Array): number {
  let extreme = 0;
  for (const value of x) if (Math.abs(value) > Math.abs(extreme)) extreme = value;
  if (Math.abs(extreme) < SMALLEST) {
    codes.fill(0);
    return 0;
  }
  const levelOf = (inverse: number, value: number) =>
    clamp(nearestInt(fround(inverse * value)), -most, most - 1);
  const keep = (inverse: number) => {
    for (let i = 0; i < x.length; i++) codes[i] = levelOf(inverse, x[i]) + most;
  };
  const sums = (inverse: number): readonly [number, number] => {
    let [sumLX, sumL2] = [0, 0];
    for (const value of x) {
      const level = levelOf(inverse, value);
      const weight = fround(value * value);
      sumLX = fround(sumLX + fround(fround(weight * value) * level));
      sumL2 = fround(sumL2 + fround(fround(weight * level) * level));
    }
    return [sumLX, sumL2];
  };
  const first = fround(-most / extreme);
  keep(first);
  const [firstLX, firstL2] = sums(first);
  let scale = firstL2 === 0 ? 0 : fround(firstLX / firstL2);
  let best = fround(scale * firstLX);
  for (let step = -9; step <= 9; step++) {
    if (step === 0) continue;
    const inverse = fround(-fround(most + fround(fround(0.1) * step)) / extreme);
    const [sumLX, sumL2] = sums(inverse);
    if (!(sumL2 > 0 && fround(sumLX * sumLX) > fround(best * sumL2))) continue;
    keep(inverse);
    scale = fround(sumLX / sumL2);
    best = fround(scale * sumLX);
  }
  return scale;
}
