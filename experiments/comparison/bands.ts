import type { Band } from './compare.js';

type Holds = Band['holds'];

/** A ratio of two sums of the same times may miss 1 by a rounding, which is no finding. */
const ROUNDING = 1e-12;

const reaches = (value: number, bound: number): boolean => value >= bound - ROUNDING * Math.abs(bound);

/** Both ends included. */
export function between(low: number, high: number): Holds {
  return ({ ours }) => reaches(ours, low) && reaches(high, ours);
}

export function over(bound: number): Holds {
  return ({ ours }) => ours > bound;
}

export function under(bound: number): Holds {
  return ({ ours }) => ours < bound;
}

export function atMost(bound: number): Holds {
  return ({ ours }) => reaches(bound, ours);
}

/** @param share largest relative error, a fraction of the paper's value */
export function within(share: number): Holds {
  return ({ error }) => reaches(share, Math.abs(error));
}
