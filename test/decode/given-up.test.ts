import { describe, expect, it } from 'vitest';
import { checkLaws } from '../../src/decode/laws/check.js';
import { composePolicy } from '../../src/decode/method/compose.js';
import { shownBy } from '../../src/decode/method/fits.js';
import { describeGivenUp, lawsGivenUp } from '../../src/decode/parts.js';
import { POLICY_SPECS, policySpecByName } from '../../src/decode/policies.js';
import { type PolicySpecInput, parsePolicySpec } from '../../src/decode/spec.js';
import type { Workload } from './support/arbitraries.js';
import { runToy } from './support/run.js';

describe('what is given up is really broken, and checked unless it is given up', () => {
  const work: Workload = {
    seed: 5,
    sway: 0.8,
    sharpness: 7,
    promptIds: [1, 2, 3],
    blocks: 3,
    timerSeed: null,
  };

  it.each([
    ['fast-dllm-prefix', 'D1'],
    ['fast-dllm-dual', 'B2'],
    ['dkv', 'D1'],
  ])('%s breaks %s when it is not waived', async (name, law) => {
    const spec = { ...policySpecByName(name), blockLength: 8 };
    const { result } = await runToy(spec, work);
    const policy = composePolicy(spec);
    const start = policy.start(work.promptIds, 24, 10);
    const context = { start, stepBudget: policy.stepBudget(24), trained: shownBy(policy.spec) };
    const strict = checkLaws({ ...context, givenUp: [] }, result.steps);
    expect(strict.map((violation) => violation.law)).toContain(law);
  });

  it('wino takes tokens back, and some step ends with no fewer masks', async () => {
    let revoked = 0;
    let stalled = 0;
    for (let seed = 0; seed < 40; seed++) {
      const spec: PolicySpecInput = {
        ...policySpecByName('wino'),
        blockLength: 8,
        commit: { kind: 'revocable', tau: 0.2 },
      };
      const { result } = await runToy(spec, { ...work, seed });
      for (const { transitions } of result.steps) {
        const back = transitions.filter(({ reason }) => reason === 'revoke').length;
        const won = transitions.filter(({ from, to }) => from === 'IV' && to === 'V').length;
        revoked += back;
        if (back >= won) stalled++;
      }
    }
    expect(revoked).toBeGreaterThan(0);
    expect(stalled).toBeGreaterThan(0);
  });

  it('is said in a line each', () => {
    expect(describeGivenUp(parsePolicySpec(policySpecByName('dkv')))).toEqual([
      'gives up D1-kv: KV is computed anew every 8 steps of a block',
    ]);
    expect(describeGivenUp(parsePolicySpec(policySpecByName('llada')))).toEqual([]);
  });

  it('names every part in the description of a named policy', async () => {
    for (const spec of POLICY_SPECS) {
      for (const { part } of lawsGivenUp(parsePolicySpec(spec))) expect(spec.description).toContain(part);
    }
  });
});
