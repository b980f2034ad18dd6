import { z } from 'zod';
import { defineRule, nothing } from '../definition.js';
import { BASELINE } from '../ladder.js';
import type { Verdict } from '../rule.js';
import { best, FINAL_TOKENS, THRESHOLDS, unit } from './by-confidence.js';

/**
 * Staged stabilization (arXiv:2606.13740 §3.3): IV becomes V at theta_visible and S at theta_stable, both
 * inclusive (Fig. 9: exactly 0.5 and 0.8 pass); IV may jump to S. If no IV reaches theta_visible, the most
 * confident one becomes V, whatever the V positions did: the block would not advance otherwise.
 */
export const staged = defineRule(
  'commit',
  z.strictObject({
    kind: z.literal('staged'),
    visible: unit.default(0.7).describe('theta_visible, §5.1'),
    stable: unit.default(0.9).describe('theta_stable, §5.1'),
  }),
)({
  facts: ({ visible, stable }) => ({ ...FINAL_TOKENS, stages: { visible, stable } }),
  rule({ visible, stable }) {
    const stateFor = (confidence: number): 'V' | 'S' => (confidence >= stable ? 'S' : 'V');
    return {
      decide(_canvas, scores) {
        const passing = scores.filter(({ confidence }) => confidence >= visible);
        return passing.length > 0
          ? passing.map(
              (score): Verdict => ({ ...score, state: stateFor(score.confidence), reason: 'commit' }),
            )
          : [{ ...best(scores), state: 'V', reason: 'promote-best' }];
      },
      stateFor,
    };
  },
  contradicts: ({ visible, stable }) =>
    stable < visible
      ? [`commit.stable (${stable}) is below commit.visible (${visible}); stable is the stronger test`]
      : [],
  givesUp: nothing,
  technique: () => ({
    name: 'staged token stabilization',
    without: ({ window }) => ({
      commit: BASELINE.commit,
      revise: BASELINE.revise,
      // Without stages there is no V to wait for.
      window: 'past' in window ? { ...window, past: 'visible' } : window,
    }),
  }),
  draws: () => ({ visible: THRESHOLDS, stable: THRESHOLDS }),
});
