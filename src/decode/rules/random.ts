import { z } from 'zod';
import { hashNumbers } from '../../util/hash-numbers.js';

/** Seed of a rule that draws: the same counters give the same numbers, whatever the order of the draws. */
export const seed = z.int().min(0).default(0).describe('seed of the counter-based random numbers');

/** Uniform in (0, 1), a function of its counters alone. */
export function uniformAt(...counters: readonly number[]): number {
  return (hashNumbers(...counters) + 0.5) / 4294967296;
}

/** Standard Gumbel noise: argmax(l + T g) samples softmax(l / T). */
export function gumbelAt(...counters: readonly number[]): number {
  return -Math.log(-Math.log(uniformAt(...counters)));
}
