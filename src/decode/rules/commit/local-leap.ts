import { z } from 'zod';
import { defineRule, nothing } from '../definition.js';
import { best, committed, FINAL_TOKENS, PARALLEL_COMMIT, THRESHOLDS, unit } from './by-confidence.js';

/**
 * LocalLeap (arXiv:2510.07081): anchors are the masks at `anchor` or more, or else the best one. They are committed, and with them
 * every mask within `distance` of an anchor that has at least `near`.
 */
export const localLeap = defineRule(
  'commit',
  z.strictObject({
    kind: z.literal('local-leap'),
    anchor: unit.default(0.9).describe('confidence of an anchor; default of LocalLeap'),
    near: unit.default(0.75).describe('confidence that is enough beside an anchor; default of LocalLeap'),
    distance: z
      .int()
      .min(0)
      .default(4)
      .describe('positions to either side of an anchor; default of LocalLeap'),
  }),
)({
  facts: ({ anchor }) => ({ ...FINAL_TOKENS, bar: anchor }),
  rule: ({ anchor, near, distance }) => ({
    decide(_canvas, scores) {
      const sure = scores.filter(({ confidence }) => confidence >= anchor);
      const anchors = sure.length > 0 ? sure : [best(scores)];
      const places = anchors.map(({ position }) => position);
      const beside = (position: number): boolean =>
        places.some((place) => Math.abs(place - position) <= distance);
      return scores
        .filter(
          ({ position, confidence }) => places.includes(position) || (confidence >= near && beside(position)),
        )
        .map((score) =>
          sure.length === 0 && places.includes(score.position)
            ? { ...committed(score), reason: 'promote-best' as const }
            : committed(score),
        );
    },
    stateFor: () => 'S',
  }),
  contradicts: ({ anchor, near }) =>
    near > anchor
      ? [`commit.near (${near}) is above commit.anchor (${anchor}); an anchor is the stronger test`]
      : [],
  givesUp: nothing,
  technique: () => PARALLEL_COMMIT,
  draws: () => ({ anchor: THRESHOLDS, near: THRESHOLDS, distance: [0, 1, 4] }),
});
