import { z } from 'zod';
import { unit } from '../commit/by-confidence.js';
import { defineRule, nothing } from '../definition.js';
import { BASELINE } from '../ladder.js';
import { speculateOn } from './draft-states.js';
import { NO_DRAFTS } from './no-drafts.js';

/** Lossless: drafted states of the method ride in rows that the tile would waste (see `draft-states.ts`). */
export const exact = defineRule(
  'speculate',
  z.strictObject({
    kind: z.literal('exact'),
    tile: z
      .int()
      .min(1)
      .default(32)
      .describe('rows of one tile: up to the next multiple rows are computed anyway (§2.2)'),
    extraTiles: z
      .int()
      .min(0)
      .default(0)
      .describe(
        'tiles a forward may grow by to hold draft states; 0: only rows that the tile would waste, which cost nothing',
      ),
    drafts: z
      .enum(['auto', 'chain', 'prefixes'])
      .default('auto')
      .describe(
        'chain: the predicted next states one after another; prefixes: the next state for several numbers of commits; auto: chain for a quota, prefixes for confidence rules',
      ),
    joinCertain: z
      .boolean()
      .default(true)
      .describe(
        'a pass that only fills the cache and the one after it share a forward: no guess, and together no more tiles than apart',
      ),
    slack: unit
      .default(0.2)
      .describe(
        'with prefixes: a mask this much below tau in the last forward is expected to pass in this one; confidence mostly rises',
      ),
  }),
)({
  facts: () => ({ futureRows: false, widens: true }),
  rule: (spec, { commit }) => ({
    ...NO_DRAFTS,
    // Every prediction is remembered, none is used by the method itself: the draft states are made of them.
    next: (_position, { token, confidence }, _isCurrent, step) => ({ token, confidence, step }),
    wrap: (method) => speculateOn(method, spec, commit.bar),
  }),
  contradicts: (_, { commit, window }) =>
    commit.stages === null && !window.lookahead
      ? []
      : ['speculate exact drafts states of a plain commit rule: commit not staged, no window.lookahead'],
  givesUp: nothing,
  technique: () => ({
    name: 'exact speculation',
    lossless: 'speculation',
    without: () => ({ speculate: BASELINE.speculate }),
  }),
  draws: () => ({
    tile: [1, 4, 8, 32],
    extraTiles: [0, 1, 3, 5],
    drafts: ['auto', 'chain', 'prefixes'],
    joinCertain: [true, false],
    slack: [0, 0.2, 0.5],
  }),
});
