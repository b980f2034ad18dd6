import { describe, expect, it } from 'vitest';
import { composePolicy } from '../../src/decode/method/compose.js';
import { policySpecByName } from '../../src/decode/policies.js';
import { sampleRow } from '../../src/decode/rules/sample-row.js';
import type { PolicySpecInput } from '../../src/decode/spec.js';

/** Probabilities .5, .3, .15, .05 of tokens 0 to 3; token 4 is the mask. */
const logits = Float32Array.from([0.5, 0.3, 0.15, 0.05, 1e-9].map(Math.log));
const vocabulary = { vocab: 5, maskId: 4, endIds: [0] };
const at = { position: 3, draw: 1 };

const score = (change: Partial<PolicySpecInput>) =>
  sampleRow(logits, 0, vocabulary, composePolicy({ ...policySpecByName('llada'), ...change }).scoring, at);

const filtered = (change: object) =>
  ({ kind: 'filtered', temperature: 0, topP: null, topK: null, order: 'dream', seed: 1, ...change }) as const;

describe('filters', () => {
  it('top-p keeps the token that crosses it, and the rest is normalised anew', () => {
    expect(score({ sampling: filtered({ topP: 0.6 }) }).confidence).toBeCloseTo(0.5 / 0.8, 6);
    expect(score({ sampling: filtered({ topK: 3 }) }).confidence).toBeCloseTo(0.5 / 0.95, 6);
  });

  it('top-p stops at the token that exceeds it, not at one that just reaches it', () => {
    // Two tokens of probability 1/2, exact in binary.
    const none = Number.NEGATIVE_INFINITY;
    const even = Float32Array.of(0, 0, none, none, none);
    const spec = { ...policySpecByName('llada'), sampling: filtered({ topP: 0.5 }) };
    const { confidence } = sampleRow(even, 0, vocabulary, composePolicy(spec).scoring, at);
    expect(confidence).toBe(0.5);
  });

  it('order matters: temperature before top-p in Dream, after it in llama.cpp', () => {
    // At T = 0.5 the probabilities are squared: .25 .09 .0225 .0025 of .365, and the first alone exceeds 0.6.
    expect(score({ sampling: filtered({ temperature: 0.5, topP: 0.6 }) })).toEqual({
      token: 0,
      confidence: 1,
    });
    const late = new Set<number>();
    for (let draw = 0; draw < 200; draw++) {
      const sampling = filtered({ temperature: 0.5, topP: 0.6, order: 'llama.cpp', seed: draw });
      const { token, confidence } = score({ sampling });
      expect(confidence).toBeCloseTo([0.25, 0.09][token] / 0.34, 5);
      late.add(token);
    }
    expect(late).toEqual(new Set([0, 1]));
  });
});

describe('end of text', () => {
  it('never: another token takes its place', () => {
    const { token, confidence } = score({ endOfText: { logit: 'never', confidence: 'keep', turnId: null } });
    expect(token).toBe(1);
    expect(confidence).toBeCloseTo(0.3 / 0.5, 6);
  });

  it('never, last: hold for every token that ends a text', () => {
    const scoring = (endOfText: PolicySpecInput['endOfText']) =>
      composePolicy({ ...policySpecByName('llada'), endOfText }).scoring;
    const two = { ...vocabulary, endIds: [0, 1] };
    const never = scoring({ logit: 'never', confidence: 'keep', turnId: null });
    expect(sampleRow(logits, 0, two, never, at).token).toBe(2);
    const last = scoring({ logit: 'keep', confidence: 'last', turnId: null });
    const second = logits.map((value, id) => (id === 0 ? Number.NEGATIVE_INFINITY : value));
    expect(sampleRow(second, 0, two, last, at)).toEqual({ token: 1, confidence: 0 });
    expect(sampleRow(second, 0, vocabulary, last, at).confidence).toBeGreaterThan(0);
  });

  it('last: it may be chosen, but has no confidence; others have more', () => {
    expect(score({ endOfText: { logit: 'keep', confidence: 'last', turnId: null } })).toEqual({
      token: 0,
      confidence: 0,
    });
    // Also where the confidence is about the row: what is left has a margin of its own.
    const last = { logit: 'keep', confidence: 'last', turnId: null } as const;
    expect(score({ confidence: 'margin', endOfText: last })).toEqual({ token: 0, confidence: 0 });
  });
});

describe('entropy of llama.cpp', () => {
  it('is the opposite of the negative entropy', () => {
    const sure = score({ confidence: 'neg-entropy' }).confidence;
    expect(score({ confidence: 'entropy' }).confidence).toBeCloseTo(1 - sure, 12);
  });
});
