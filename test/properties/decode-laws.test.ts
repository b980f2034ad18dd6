import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PolicySpecInput } from '../../src/decode/spec.js';
import {
  EVERY_RULE,
  RUNS_PER_RULE,
  specsWith,
  TIME_LIMIT_MS,
  type Workload,
  workloads,
} from '../decode/support/arbitraries.js';
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
        { numRuns: RUNS_PER_RULE },
      );
    },
    TIME_LIMIT_MS,
  );

  it('hold for visible tokens that a per-block cache reads: their identity is held', async () => {
    const spec: PolicySpecInput = {
      name: 'staged on a per-block cache',
      blockLength: 2,
      window: { kind: 'per-block', extent: 'block' },
      cache: { kind: 'per-block' },
      commit: { kind: 'staged', visible: 0.3, stable: 0.7 },
      confidence: 'random',
    };
    const work: Omit<Workload, 'seed'> = {
      sway: 0.8,
      sharpness: 3,
      promptIds: [0],
      blocks: 3,
      timerSeed: null,
    };
    for (let seed = 0; seed < 40; seed++)
      expect(
        (await runToy({ ...spec, sampling: { kind: 'gumbel', seed } }, { ...work, seed })).broken,
      ).toEqual([]);
  });
});
