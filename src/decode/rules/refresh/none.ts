import { z } from 'zod';
import { defineRule, nothing, plain } from '../definition.js';
import { landing } from './landing.js';

/** Nothing runs beside the main pass; a final sweep lands as a refresh all the same. */
export const none = defineRule(
  'refresh',
  z.strictObject({ kind: z.literal('none') }),
)({
  facts: () => ({ launches: false }),
  rule: (_, { commit }) => ({
    launch: () => [],
    feed: (position) => position.token,
    land: landing(commit.stages, 'visible'),
    marksDependents: false,
    joins: false,
    readable: () => true,
    withWindow: false,
    maxAgeSteps: null,
  }),
  contradicts: nothing,
  givesUp: nothing,
  technique: plain,
  draws: () => ({}),
});
