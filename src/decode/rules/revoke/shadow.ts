import { z } from 'zod';
import { blockRange, positionsOf } from '../../canvas/geometry.js';
import { THRESHOLDS, unit } from '../commit/by-confidence.js';
import { defineRule } from '../definition.js';
import { overBaseline } from '../ladder.js';
import type { Verdict } from '../rule.js';

/** What WINO takes for the number of tokens accepted before the first step of a block. */
const FIRST_LAST_ACCEPTED = 30;

/**
 * WINO's narrow-out rule (arXiv:2507.18578): a second, masked copy of the block rides along, sees everything but its
 * own counterpart, and so says how likely each committed token is given all the others. A token below tau returns
 * to the mask; fewer than the last step accepted may do so, and only in a step that accepted more than one.
 */
export const shadow = defineRule(
  'revoke',
  z.strictObject({
    kind: z.literal('shadow'),
    tau: unit
      .default(0.9)
      .describe(
        'tau_2 of WINO: a committed token less likely than this at its shadow row returns to the mask',
      ),
  }),
)({
  facts: () => ({ shadows: true }),
  rule: ({ tau }) => ({
    shadows: (canvas) => positionsOf(blockRange(canvas, canvas.block)),
    decide(canvas, scores, promoted) {
      if (promoted <= 1) return [];
      const weak = scores
        .map(({ position, asked = 0 }) => ({ position, asked }))
        .filter(({ asked }) => asked < tau)
        .sort((a, b) => a.asked - b.asked || a.position - b.position);
      const last = canvas.lastPromoted ?? FIRST_LAST_ACCEPTED;
      return weak.slice(0, last - 1).map(
        ({ position, asked }): Verdict => ({
          position,
          token: canvas.maskId,
          confidence: asked,
          state: 'IV',
          reason: 'revoke',
        }),
      );
    },
    stableWithBlock: true,
  }),
  contradicts(_, { commit, window, cache, speculate }) {
    const found: string[] = [];
    if (!commit.revocable)
      found.push(
        'commit revocable and revoke shadow belong together: one commits what the other may take back',
      );
    const isWhole = window.relies === 'whole canvas' && !cache.stores;
    if (!isWhole || speculate.futureRows || speculate.widens)
      found.push('revoke shadow re-predicts on the whole canvas: window canvas, cache none, speculate none');
    return found;
  },
  givesUp: () => [{ part: 'D4-every-step', because: 'a step may take back more tokens than it commits' }],
  technique: () => overBaseline('revocation', 'revoke', 'commit'),
  draws: () => ({ tau: THRESHOLDS }),
});
