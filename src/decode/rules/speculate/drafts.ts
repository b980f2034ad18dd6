import { z } from 'zod';
import type { Draft } from '../../canvas/types.js';
import { THRESHOLDS, unit } from '../commit/by-confidence.js';
import { defineRule } from '../definition.js';
import { BASELINE, overCachedBlocks } from '../ladder.js';
import { NO_DRAFTS } from './no-drafts.js';

/**
 * Multi-block drafts (arXiv:2606.13740 §3.2): a prediction beyond the current block is kept as a draft, may be fed
 * to later passes, and is evaluated on fresh logits once its block is current: accepted if it meets the criterion,
 * overwritten otherwise. It has no durable KV and does not change which masks are committed first.
 */
export const drafts = defineRule(
  'speculate',
  z.strictObject({
    kind: z.literal('drafts'),
    feed: z
      .enum(['token', 'mask'])
      .default('token')
      .describe('what a draft row is fed; token: §3.2 says drafts take part in later forwards'),
    feedConfidence: unit
      .default(0.9)
      .describe(
        'a draft below it is fed as the mask; the acceptance threshold, so weak guesses never become context',
      ),
    acceptConfidence: unit
      .default(0.9)
      .describe('confidence at which an evaluated draft is committed; equal to theta_stable'),
    requireEqual: z
      .boolean()
      .default(false)
      .describe(
        'a draft fed as its token is accepted only if the fresh best token equals it; the paper asks for the criterion only',
      ),
    evaluate: z
      .enum(['once', 'every-step'])
      .default('once')
      .describe('once: a refused draft becomes an ordinary mask ("simply overwritten", §3.2)'),
    entry: z
      .enum(['evaluate', 'carry'])
      .default('evaluate')
      .describe(
        'evaluate: a draft is accepted on fresh logits only (§3.2); carry: one at acceptConfidence has its state before its block is current, and enters it with that state',
      ),
  }),
)({
  facts: () => ({ futureRows: true, widens: false }),
  rule(spec) {
    const isFed = (draft: Draft): boolean => spec.feed === 'token' && draft.confidence >= spec.feedConfidence;
    return {
      ...NO_DRAFTS,
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
  },
  contradicts: (_, { window }) =>
    window.blockAlone && !window.lookahead
      ? [
          'speculate drafts needs rows beyond the current block: window sliding, canvas, extent suffix or lookahead',
        ]
      : [],
  givesUp: ({ entry }) =>
    entry === 'carry'
      ? [{ part: 'B3-fresh-logits', because: 'drafts enter their block with the state they had' }]
      : [],
  technique: () => ({
    name: 'multi-block speculation',
    without: (policy) =>
      'seal' in policy.cache ? overCachedBlocks(policy) : { speculate: BASELINE.speculate },
  }),
  draws: () => ({
    feed: ['token', 'mask'],
    feedConfidence: THRESHOLDS,
    acceptConfidence: THRESHOLDS,
    requireEqual: [true, false],
    evaluate: ['once', 'every-step'],
    entry: ['evaluate', 'evaluate', 'carry'],
  }),
});
