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
import { HashEngine, HashForward } from './hash-model.js';
import { CASES, type Schedule, schedules, UNNAMED } from './plain-cases.js';
import { PlainModel } from './plain-model.js';

/**
 * Runs of each policy: in the suite a thousand over all of them on a model that is a hash of what each row sees, and a few on a
 * transformer; a tenth of the runs under `npm run fuzz`, a thousand each by default.
 */
const FUZZ_RUNS = process.env.DLLM_FUZZ_RUNS;
const runsOf = (few: number): number =>
  FUZZ_RUNS === undefined ? Math.ceil(few / ALL_POLICY_SPECS.length) : Math.ceil(Number(FUZZ_RUNS) / 10);
const RUNS = { hash: runsOf(1000), transformer: runsOf(90) };

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

  const configOf = (name: string, schedule: Schedule): ModelConfig => {
    const spec = specFor(name, schedule);
    return tinyConfig({
      layers: 2,
      hidden: 8,
      heads: 2,
      kvHeads: 1,
      headDim: 4,
      ffn: 8,
      vocab: 16,
      ...modelFor(spec, schedule.shift),
      maskId: factsOf(spec).window.masks ? 5 : null,
      // Passes that draft are computed with it, all others without: a plain loop says which.
      draftAdapter: schedule.trigger > 2 ? { rank: 2 } : undefined,
    });
  };

  it.each(Object.keys(CASES))(
    '%s, where whatever a row sees changes what it says',
    async (name) => {
      await fc.assert(
        fc.asyncProperty(schedules, async (schedule) => {
          const config = configOf(name, schedule);
          const engine = new HashEngine(config, schedule.model);
          const { tokens, answer } = await followed(
            name,
            schedule,
            engine,
            new HashForward(config, schedule.model),
          );
          expect(answer).toEqual(tokens);
        }),
        { numRuns: RUNS.hash },
      );
    },
    Math.max(120_000, RUNS.hash * 2000),
  );

  it.each(Object.keys(CASES))(
    '%s on a transformer',
    async (name) => {
      await useBackend('cpu');
      await fc.assert(
        fc.asyncProperty(schedules, async (schedule) => {
          const config = configOf(name, schedule);
          const weights = randomWeights(config, schedule.model);
          const engine = await createTfjsEngine(config, weights, { backend: 'cpu' });
          const model = await PlainModel.of(config, weights);
          const { tokens, answer } = await followed(name, schedule, engine, model);
          engine.dispose();
          expect(answer).toEqual(tokens);
        }),
        { numRuns: RUNS.transformer },
      );
    },
    Math.max(120_000, RUNS.transformer * 2000),
  );
});
