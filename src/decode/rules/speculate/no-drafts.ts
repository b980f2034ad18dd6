import type { SpeculateRule } from '../rule.js';

/** What speculation does that does nothing: where the others begin. */
export const NO_DRAFTS: SpeculateRule = {
  feed: () => 'mask',
  accepts: () => false,
  carries: () => false,
  withholds: () => false,
  next: () => null,
  wrap: (method) => method,
};
