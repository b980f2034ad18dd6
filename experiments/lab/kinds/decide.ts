import { z } from 'zod';
import { defineKind } from '../kind.js';
import { reproducibility } from '../open.js';
import { casesSchema, deciderSchema, methodSchema } from '../setup.js';
import { type CaseResult, caseResult, decidedMetrics } from './case-result.js';
import { decisionInputs } from './inputs.js';
import { questions, sameDecisions } from './questions.js';

/** Cases of a decider under one policy, without a machine. */
export const decideKind = defineKind({
  name: 'decide',
  description: 'cases decided by a workload under a policy and scored, without a clock',
  main: ['exactShare', 'forwards', 'tokensPerForward'],
  config: z.strictObject({ ...deciderSchema.shape, ...methodSchema.shape, ...casesSchema.shape }),
  inputs: (config) => decisionInputs(config),
  sharing: (config) => sameDecisions(config),
  async run(config, lab, signal) {
    const cases: CaseResult[] = [];
    for (const question of questions(config, null)) {
      const { decided } = await lab.solve(question, signal);
      cases.push(caseResult(question.index, decided));
    }
    const { engineName } = await lab.decider(config, config.seed);
    return {
      metrics: decidedMetrics(cases),
      detail: { engine: engineName, sameBits: reproducibility(config, engineName), cases },
    };
  },
});
