import type { Draft } from '../canvas/types.js';
import type { SpeculateSpec } from '../spec.js';
import type { SpeculateRule } from './rule.js';

const NO_DRAFTS: SpeculateRule = {
  feed: () => 'mask',
  accepts: () => false,
  carries: () => false,
  withholds: () => false,
  next: () => null,
};

/** Every prediction is remembered, none is used by the method itself: the draft states are made of them. */
const REMEMBER: SpeculateRule = {
  ...NO_DRAFTS,
  next: (_position, { token, confidence }, _isCurrent, step) => ({ token, confidence, step }),
};

/**
 * Multi-block drafts (arXiv:2606.13740 §3.2): a prediction beyond the current block is kept as a draft, may be fed
 * to later passes, and is evaluated on fresh logits once its block is current: accepted if it meets the criterion,
 * overwritten otherwise. It has no durable KV and does not change which masks are committed first.
 */
export function speculateRule(spec: SpeculateSpec): SpeculateRule {
  if (spec.kind === 'none') return NO_DRAFTS;
  if (spec.kind === 'exact') return REMEMBER;
  const isFed = (draft: Draft): boolean => spec.feed === 'token' && draft.confidence >= spec.feedConfidence;
  return {
    feed: ({ draft }) => (draft !== null && isFed(draft) ? 'draft' : 'mask'),
    accepts: (draft, score) =>
      score.confidence >= spec.acceptConfidence && (!spec.requireEqual || score.token === draft.token),
    carries: (draft) => spec.entry === 'carry' && draft.confidence >= spec.acceptConfidence,
    // A row that was fed the mask has ordinary logits: its draft must not stand in the way of a regular commit.
    withholds: (draft, score) => spec.requireEqual && isFed(draft) && score.token !== draft.token,
    next(position, score, isCurrent, step) {
      const fresh = { token: score.token, confidence: score.confidence, step };
      if (!isCurrent) return fresh;
      return spec.evaluate === 'every-step' && position.draft !== null ? fresh : null;
    },
  };
}
