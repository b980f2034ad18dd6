import { hashNumbers } from '../../../src/decode/hash-numbers.js';
import { uniformAt } from '../../../src/decode/sampling.js';

/**
 * A LLaDA-8B-like confidence process: what a row's confidence does as its context fills up. Logit of the confidence
 * at a masked position:
 *
 *     z = bias - gapWeight ln(1 + gap) + densityWeight (density^curve - 1/2) + easyBonus easy + spread eps + noise
 *     c = floor + (1 - floor) sigmoid(z)
 *
 * - `gap`: unknown positions directly to the left;
 * - `density`: known share of the neighbourhood on both sides, weights falling by 1/e per `densityScale` positions;
 *   everything left of the text counts as known, everything right of what the row sees as unknown;
 * - `easy`: 1 with probability `easyShare`, fixed per position; `eps`: standard normal, fixed per position;
 * - `noise`: changes with the number of known positions the row sees, so that equal contexts give equal confidence.
 *
 * Shaped after a fit of ours (gap, progress, easy tokens). Block-free on purpose: a model does not know where the
 * decoder's blocks end.
 */
export interface ProcessParameters {
  readonly bias: number;
  readonly gapWeight: number;
  readonly densityWeight: number;
  /** Positions over which the weight of a neighbour falls to 1/e. */
  readonly densityScale: number;
  /** Above 1, context counts most where little is missing. */
  readonly densityCurve: number;
  readonly easyShare: number;
  readonly easyBonus: number;
  readonly spread: number;
  readonly noise: number;
  /** Added to z after the end of the text: end-of-text tokens commit almost for free. */
  readonly endBonus: number;
  /** Added to z where a row is fed a concrete token: how much a token speaks for itself. */
  readonly selfBonus: number;
}

/** Known positions between two independent values of the noise; values between are interpolated. */
const NOISE_STRIDE = 4;

/** Streams of random numbers that must not meet. */
const EASY = 1;
const EPSILON = 2;
const NOISE = 3;
const SETTLED = 4;
const TRUTH = 5;
const OTHER = 6;

/** Standard normal (Box-Muller), a function of its counters alone. */
function normalAt(...counters: readonly number[]): number {
  const radius = Math.sqrt(-2 * Math.log(uniformAt(...counters, 0)));
  return radius * Math.cos(2 * Math.PI * uniformAt(...counters, 1));
}

/** What is fixed about a position before decoding begins. */
export interface Latent {
  readonly easy: boolean;
  readonly epsilon: number;
  /** Confidence from which on the best token is the final one. */
  readonly settledAt: number;
  readonly truth: number;
  /** The best token before that. */
  readonly other: number;
}

/** @param tokens ordinary tokens have ids 0 .. tokens - 1 */
export function latentAt(seed: number, position: number, easyShare: number, tokens: number): Latent {
  const truth = hashNumbers(seed, position, TRUTH) % tokens;
  return {
    easy: uniformAt(seed, position, EASY) < easyShare,
    epsilon: normalAt(seed, position, EPSILON),
    // Calibrated: a best token of confidence c is the final one with probability c.
    settledAt: uniformAt(seed, position, SETTLED),
    truth,
    other: (truth + 1 + (hashNumbers(seed, position, OTHER) % (tokens - 1))) % tokens,
  };
}

export function noiseAt(seed: number, position: number, known: number): number {
  const knot = Math.floor(known / NOISE_STRIDE);
  const share = known / NOISE_STRIDE - knot;
  const [a, b] = [normalAt(seed, position, NOISE, knot), normalAt(seed, position, NOISE, knot + 1)];
  return (1 - share) * a + share * b;
}

/** Unknown positions directly to the left of every position. */
export function gaps(known: readonly boolean[]): number[] {
  let run = 0;
  return known.map((isKnown) => {
    const gap = run;
    run = isKnown ? 0 : run + 1;
    return gap;
  });
}

/** Known share of the neighbourhood of every position, itself left out. */
export function densities(known: readonly boolean[], scale: number): number[] {
  const fade = Math.exp(-1 / scale);
  const whole = fade / (1 - fade);
  const result = new Array<number>(known.length).fill(0);
  let left = whole;
  for (let at = 0; at < known.length; at++) {
    result[at] = left;
    left = fade * (left + Number(known[at]));
  }
  let right = 0;
  for (let at = known.length - 1; at >= 0; at--) {
    result[at] = ((result[at] ?? 0) + right) / (2 * whole);
    right = fade * (right + Number(known[at]));
  }
  return result;
}

export interface RowContext {
  readonly gap: number;
  readonly density: number;
  /** Known positions that the row sees. */
  readonly known: number;
  readonly afterEnd: boolean;
  readonly fed: boolean;
}

/** @param floor the least confidence a best token can have */
export function confidenceOf(
  p: ProcessParameters,
  latent: Pick<Latent, 'easy' | 'epsilon'>,
  row: RowContext,
  noise: number,
  floor: number,
): number {
  const z =
    p.bias -
    p.gapWeight * Math.log1p(row.gap) +
    p.densityWeight * (row.density ** p.densityCurve - 0.5) +
    (latent.easy ? p.easyBonus : 0) +
    p.spread * latent.epsilon +
    p.noise * noise +
    (row.afterEnd ? p.endBonus : 0) +
    (row.fed ? p.selfBonus : 0);
  return floor + (1 - floor) / (1 + Math.exp(-z));
}
