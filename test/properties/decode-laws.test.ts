import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EVERY_RULE, RUNS, specsWith, TIME_LIMIT_MS, workloads } from '../decode/support/arbitraries.js';
import { runToy } from '../decode/support/run.js';

/** B1-B3, D1-D5, D7 and the consistency of the record, over random policies, prompts, models and clocks. */
describe('laws of decoding', () => {
  it.each(EVERY_RULE)(
    'hold with $kind $name',
    async (rule) => {
      await fc.assert(
        fc.asyncProperty(specsWith(rule), workloads, async (spec, work) => {
          const { broken } = await runToy(spec, work);
          expect(broken).toEqual([]);
        }),
        { numRuns: Math.ceil(RUNS / 10) },
      );
    },
    TIME_LIMIT_MS,
  );
});
