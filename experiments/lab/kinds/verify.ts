import { z } from 'zod';
import { maskFor } from '../../../src/decode/method/session.js';
import { verifySteps } from '../../../src/engine/verify/verify.js';
import { defineKind } from '../kind.js';
import { reproducibility } from '../open.js';
import { setupSchema } from '../setup.js';
import { chipInputs, decisionInputs } from './inputs.js';
import { questions, sameDecisions } from './questions.js';

const config = z.strictObject({
  ...setupSchema.shape,
  every: z.int().min(1).default(1).describe('recompute every n-th step'),
});

/** Every scored row of the cases recomputed from what it was entitled to see. */
export const verifyKind = defineKind({
  name: 'verify',
  description: 'cases as in decode, their predictions recomputed in f32 without cache, window or order',
  main: ['rows', 'mismatches', 'maxConfidenceError'],
  config,
  async inputs(options) {
    return { ...chipInputs(options), ...(await decisionInputs(options)) };
  },
  sharing: (config) => sameDecisions(config),
  async run(options, lab, signal) {
    const { config: shapes, weights } = await lab.weights(options.workload);
    let rows = 0;
    let mismatches = 0;
    let maxConfidenceError = 0;
    let maxNatsError: number | null = null;
    for (const question of questions(options, options)) {
      const { decided, policy } = await lab.solve(question, signal);
      const report = verifySteps(decided.steps, {
        config: shapes,
        weights,
        scoring: policy.scoring,
        maskId: maskFor(policy, shapes),
        every: options.every,
      });
      rows += report.rows;
      mismatches += report.mismatches.length;
      maxConfidenceError = Math.max(maxConfidenceError, report.maxConfidenceError);
      if (report.maxNatsError !== null) maxNatsError = Math.max(maxNatsError ?? 0, report.maxNatsError);
    }
    const { engineName } = await lab.decider(options, options.seed);
    return {
      metrics: { rows, mismatches, maxConfidenceError, ...(maxNatsError === null ? {} : { maxNatsError }) },
      detail: { engine: engineName, sameBits: reproducibility(options, engineName) },
    };
  },
});
