import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  blockSpecs,
  canvasSpecs,
  RUNS,
  slidingSpecs,
  TIME_LIMIT_MS,
  workloads,
} from '../decode/support/arbitraries.js';
import { runToy } from '../decode/support/run.js';

/** B1-B3, D1-D5, D7 and the consistency of the record, over random policies, prompts, models and clocks. */
describe('laws of decoding', () => {
  it.each([
    ['full and growing canvas', canvasSpecs],
    ['block windows on prefix KV', blockSpecs],
    ['sliding windows with drafts, stages and refresh', slidingSpecs],
  ])(
    'hold on %s',
    async (_name, specs) => {
      await fc.assert(
        fc.asyncProperty(specs, workloads, async (spec, work) => {
          const { broken } = await runToy(spec, work);
          expect(broken).toEqual([]);
        }),
        { numRuns: RUNS },
      );
    },
    TIME_LIMIT_MS,
  );
});
