import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Transition } from '../../src/decode/canvas/types.js';
import { composePolicy } from '../../src/decode/method/compose.js';
import { decode } from '../../src/decode/method/session.js';
import { factsOf, rulesOf } from '../../src/decode/parts.js';
import { policySpecByName } from '../../src/decode/policies.js';
import { stepQuotas } from '../../src/decode/rules/commit/quota.js';
import type { CommitRule } from '../../src/decode/rules/rule.js';
import { DEFAULT_INPUTS } from '../../src/decode/rules/window/lookahead.js';
import { type PolicySpecInput, parsePolicySpec } from '../../src/decode/spec.js';
import { Script } from './support/script.js';
import { ToyEngine } from './support/toy-engine.js';

function commitRule(commit: PolicySpecInput['commit']): CommitRule {
  const spec = parsePolicySpec({ ...policySpecByName('block-kv'), commit });
  return rulesOf(spec).commit.rule(factsOf(spec), DEFAULT_INPUTS);
}

/** Origin of the numbers: get_num_transfer_tokens of LLaDA's generate.py, evaluated by hand. */
describe('LLaDA quotas', () => {
  it.each([
    [32, 8, [4, 4, 4, 4, 4, 4, 4, 4]],
    [32, 32, Array.from({ length: 32 }, () => 1)],
    [32, 5, [7, 7, 6, 6, 6]],
    [8, 3, [3, 3, 2]],
    [4, 1, [4]],
  ])('%i tokens over %i steps', (length, steps, quotas) => {
    expect(stepQuotas(length, steps)).toEqual(quotas);
  });

  it('sum to the block, never differ by more than one, and start with the larger', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 200 }), (length, steps) => {
        const quotas = stepQuotas(length, steps);
        expect(quotas.reduce((a, b) => a + b, 0)).toBe(length);
        expect([...quotas].sort((a, b) => b - a)).toEqual(quotas);
        expect(quotas[0] - (quotas.at(-1) ?? 0)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('are what a decode commits, step by step: G=32, B=16, 5 steps per block', async () => {
    const policy = composePolicy({
      ...policySpecByName('llada'),
      blockLength: 16,
      commit: { kind: 'quota', stepsPerBlock: 5 },
    });
    const engine = new ToyEngine({ seed: 1 });
    const { steps, counters } = await decode({ policy, engine, promptIds: [1, 2], genLength: 32 });
    const committed = steps.map(({ transitions }) => transitions.filter(isCommit).length);
    expect(committed).toEqual([4, 3, 3, 3, 3, 4, 3, 3, 3, 3]);
    expect(counters.nfe).toBe(10);
    expect(counters.mainRows).toBe(10 * 34);
  });
});

function isCommit(t: Transition): boolean {
  return t.from === 'IV' && t.to === 'S';
}

describe('commit rules', () => {
  const canvas = new Script(policySpecByName('block-kv'), 1, 32).canvas;
  const scores = [
    { position: 1, token: 5, confidence: 0.5 },
    { position: 2, token: 6, confidence: 0.9 },
    { position: 3, token: 7, confidence: 0.9 },
    { position: 4, token: 8, confidence: 0.7 },
  ];

  it('quota takes the best; the lowest index on ties', () => {
    expect(commitRule({ kind: 'quota' }).decide(canvas, scores, scores)).toEqual([
      { position: 2, token: 6, confidence: 0.9, state: 'S', reason: 'commit' },
    ]);
  });

  it.each([
    ['at-least', 0.9, [2, 3]],
    ['above', 0.9, [2]],
    ['above', 0.7, [2, 3]],
    ['at-least', 0.95, [2]],
  ] as const)('threshold %s %d', (compare, tau, positions) => {
    const verdicts = commitRule({ kind: 'threshold', tau, compare }).decide(canvas, scores, scores);
    expect(verdicts.map(({ position }) => position)).toEqual(positions);
  });

  it('staged is inclusive at both thresholds', () => {
    const verdicts = commitRule({ kind: 'staged', visible: 0.7, stable: 0.9 }).decide(canvas, scores, scores);
    expect(verdicts.map(({ position, state }) => `${position}${state}`)).toEqual(['2S', '3S', '4V']);
  });

  it('staged promotes the single best to V when nothing passes', () => {
    const verdicts = commitRule({ kind: 'staged', visible: 0.95, stable: 0.99 }).decide(
      canvas,
      scores,
      scores,
    );
    expect(verdicts).toEqual([
      { position: 2, token: 6, confidence: 0.9, state: 'V', reason: 'promote-best' },
    ]);
  });
});
