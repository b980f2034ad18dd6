import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { factsOf } from '../../src/decode/parts.js';
import { ALL_POLICY_SPECS } from '../../src/decode/policies.js';
import type { PolicySpec } from '../../src/decode/spec.js';
import { useBackend } from '../../src/engine/tfjs/backend.js';
import { createTfjsEngine } from '../../src/engine/tfjs/engine.js';
import type { ModelConfig } from '../../src/model/config.js';
import { trainedFor } from '../decode/support/run.js';
import { randomWeights, tinyConfig } from '../support/tiny-model.js';
import { followed, specFor } from './follow.js';
import { CASES, schedules, UNNAMED } from './plain-cases.js';
import { PlainModel } from './plain-model.js';

// About 20 s of processor time: a thousand decodes, each followed pass for pass.
/** Runs of each policy: a thousand over all of them in the suite, a tenth of the runs under `npm run fuzz`, a thousand each by default. */
const FUZZ_RUNS = process.env.DLLM_FUZZ_RUNS;
const PER_POLICY =
  FUZZ_RUNS === undefined ? Math.ceil(1000 / ALL_POLICY_SPECS.length) : Math.ceil(Number(FUZZ_RUNS) / 10);

/** In blocks a model that shifts is refused by most; one that sees both ways may be shown them. */
function modelFor(spec: PolicySpec, shift: boolean): Partial<ModelConfig> {
  const shown = trainedFor(spec);
  const { masks, attends } = factsOf(spec).window;
  // Masks that see only what is left of them say their own token.
  if (shown.shiftLogits || (masks && shown.attention === 'causal')) return shown;
  const free = shift && attends === null;
  const { orders } = shown;
  return { ...(free ? { attention: 'bidirectional', orders } : shown), shiftLogits: shift };
}

describe('every policy is its published loop, forward by forward, on random models and schedules', () => {
  it('has a loop for every named policy', () => {
    expect(Object.keys(CASES).sort()).toEqual(
      [...ALL_POLICY_SPECS.map(({ name }) => name), ...Object.keys(UNNAMED)].sort(),
    );
  });

  it.each(Object.keys(CASES))(
    '%s',
    async (name) => {
      await useBackend('cpu');
      await fc.assert(
        fc.asyncProperty(schedules, async (schedule) => {
          const spec = specFor(name, schedule);
          const facts = factsOf(spec);
          const config = tinyConfig({
            layers: 2,
            hidden: 8,
            heads: 2,
            kvHeads: 1,
            headDim: 4,
            ffn: 8,
            vocab: 16,
            ...modelFor(spec, schedule.shift),
            maskId: facts.window.masks ? 5 : null,
            // Passes that draft are computed with it, all others without: a plain loop says which.
            draftAdapter: schedule.trigger > 2 ? { rank: 2 } : undefined,
          });
          const weights = randomWeights(config, schedule.model);
          const engine = await createTfjsEngine(config, weights, { backend: 'cpu' });
          const { tokens, answer } = await followed(
            name,
            schedule,
            engine,
            await PlainModel.of(config, weights),
          );
          engine.dispose();
          expect(answer).toEqual(tokens);
        }),
        { numRuns: PER_POLICY },
      );
    },
    Math.max(120_000, PER_POLICY * 2000),
  );
});
