import { uniformAt } from '../../../../src/decode/rules/random.js';
import { hashNumbers } from '../../../../src/util/hash-numbers.js';

/**
 * A LLaDA-8B-like confidence process: what a row's confidence does as its context fills up. Logit of the confidence
 * at a masked position:
 *
 *     z = bias - gapWeight ln(1 + gap) + densityWeight (density - 1/2) + easyBonus easy + spread eps
 *     z' = z up to the knee, knee + sharpness (z - knee) above it
 *     c = floor + (1 - floor) sigmoid(z')
 *
 * - context weight of a position: 1 with its right token, `wrongWeight` with a wrong one, 0 masked;
 * - `gap`: positions directly to the left that do not hold their right token;
 * - `density`: mean context weight of the neighbourhood, falling by 1/e per `densityScale` positions; everything left
 *   of the text counts as right, masks behind the last token do not count at all: published forwards hardly change
 *   with whether a method shows the masks to the right;
 * - `easy`: 1 with probability `easyShare`, fixed per position; `eps`: standard normal, fixed per position.
 *
 * Above the knee a token is settled by its context and its confidence soon near 1: few are committed between 0.8
 * and 0.95. Block-free on purpose: a model does not know where the decoder's blocks end.
 */
export interface ProcessParameters {
  readonly bias: number;
  readonly gapWeight: number;
  readonly densityWeight: number;
  /** Positions over which the weight of a neighbour falls to 1/e. */
  readonly densityScale: number;
  readonly easyShare: number;
  readonly easyBonus: number;
  readonly spread: number;
  readonly sharpness: number;
  /** What a wrong token is worth as context, of a right one. */
  readonly wrongWeight: number;
  /** Logit. */
  readonly knee: number;
  /** Added to z after the end of the text: end-of-text tokens commit almost for free. */
  readonly endBonus: number;
  /** Added to z where a row is fed a concrete token: how much a token speaks for itself. */
  readonly selfBonus: number;
}

/** Streams of random numbers that must not meet. */
const EASY = 1;
const EPSILON = 2;
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
  /** Easy where it is below the share of easy tokens. */
  readonly ease: number;
  readonly epsilon: number;
  /** Confidence from which on the best token is the right one. */
  readonly settledAt: number;
  readonly truth: number;
  /** The best token before that. */
  readonly other: number;
}

/** @param tokens ordinary tokens have ids 0 .. tokens - 1 */
export function latentAt(seed: number, position: number, tokens: number): Latent {
  const truth = hashNumbers(seed, position, TRUTH) % tokens;
  return {
    ease: uniformAt(seed, position, EASY),
    epsilon: normalAt(seed, position, EPSILON),
    // Calibrated: a best token of confidence c is the right one with probability c.
    settledAt: uniformAt(seed, position, SETTLED),
    truth,
    other: (truth + 1 + (hashNumbers(seed, position, OTHER) % (tokens - 1))) % tokens,
  };
}

/** Context weight of a right token, and from where on a position does not count into a gap. */
export const RIGHT = 1;

/** What the rows of a pass see: a context weight for each position up to the last one they see. */
export interface Surroundings {
  readonly gap: Int32Array;
  readonly density: Float64Array;
}

/** What lies left of the first position that is looked at. */
export interface Before {
  /** Faded sum of context weights; `wholeOf` where everything is right. */
  readonly sum: number;
  readonly gap: number;
}

/** Faded sum of an endless row of right tokens. */
export function wholeOf(scale: number): number {
  const fade = Math.exp(-1 / scale);
  return fade / (1 - fade);
}

/** What lies left of the position behind the last. */
export function beforeNext(weights: Float64Array, scale: number, before: Before): Before {
  const fade = Math.exp(-1 / scale);
  let { sum, gap } = before;
  for (const weight of weights) {
    sum = fade * (sum + weight);
    gap = weight === RIGHT ? 0 : gap + 1;
  }
  return { sum, gap };
}

export function contextOf(
  weights: Float64Array,
  scale: number,
  before: Before = { sum: wholeOf(scale), gap: 0 },
): Surroundings {
  const n = weights.length;
  const fade = Math.exp(-1 / scale);
  const whole = wholeOf(scale);
  const gap = new Int32Array(n);
  const density = new Float64Array(n);
  let run = before.gap;
  let left = before.sum;
  for (let at = 0; at < n; at++) {
    const weight = weights[at] as number;
    gap[at] = run;
    run = weight === RIGHT ? 0 : run + 1;
    density[at] = left;
    left = fade * (left + weight);
  }
  let right = 0;
  let seen = 0;
  let trailing = true;
  for (let at = n - 1; at >= 0; at--) {
    density[at] = ((density[at] as number) + right) / (whole + seen);
    trailing &&= weights[at] === 0;
    right = fade * (right + (weights[at] as number));
    seen = trailing ? 0 : fade * (seen + 1);
  }
  return { gap, density };
}

export interface RowContext {
  readonly gap: number;
  readonly density: number;
  readonly afterEnd: boolean;
  readonly fed: boolean;
}

/** @param floor the least confidence a best token can have */
export function confidenceOf(
  p: ProcessParameters,
  latent: Pick<Latent, 'ease' | 'epsilon'>,
  row: RowContext,
  floor: number,
): number {
  const z =
    p.bias -
    p.gapWeight * Math.log1p(row.gap) +
    p.densityWeight * (row.density - 0.5) +
    (latent.ease < p.easyShare ? p.easyBonus : 0) +
    p.spread * latent.epsilon +
    (row.afterEnd ? p.endBonus : 0) +
    (row.fed ? p.selfBonus : 0);
  const sharp = z > p.knee ? p.knee + p.sharpness * (z - p.knee) : z;
  return floor + (1 - floor) / (1 + Math.exp(-sharp));
}
