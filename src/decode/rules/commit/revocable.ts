import { z } from 'zod';
import { maskedInBlock } from '../../canvas/geometry.js';
import { defineRule, nothing, plain } from '../definition.js';
import { byConfidence, FINAL_TOKENS, passingOrBest, THRESHOLDS, unit } from './by-confidence.js';

/**
 * WINO's wide-in rule: every position above tau, of which at most min(max(floor(0.7 m), 5), 20) of the m masks left;
 * if there is none, the best one. What it commits can be revoked, so it is visible, not stable.
 */
export const revocable = defineRule(
  'commit',
  z.strictObject({
    kind: z.literal('revocable'),
    tau: unit.default(0.6).describe('tau_1 of WINO; 0.6 on GSM8K, 0.5 to 0.8 on other tasks'),
  }),
)({
  facts: () => ({ ...FINAL_TOKENS, revocable: true }),
  rule: ({ tau }) => ({
    decide(canvas, scores) {
      const masked = maskedInBlock(canvas).length;
      const cap = Math.min(Math.max(Math.floor((masked * 7) / 10), 5), 20);
      const passing = scores.filter(({ confidence }) => confidence > tau).sort(byConfidence);
      return passingOrBest(passing.slice(0, cap), scores).map((verdict) => ({ ...verdict, state: 'V' }));
    },
    stateFor: () => 'V',
  }),
  contradicts: (_, { revoke }) =>
    revoke.shadows
      ? []
      : ['commit revocable and revoke shadow belong together: one commits what the other may take back'],
  givesUp: nothing,
  technique: plain,
  draws: () => ({ tau: THRESHOLDS }),
});
