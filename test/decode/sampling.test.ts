import { describe, expect, it } from 'vitest';
import { composePolicy } from '../../src/decode/method/compose.js';
import { factsOf, rulesOf } from '../../src/decode/parts.js';
import { policySpecByName } from '../../src/decode/policies.js';
import { uniformAt } from '../../src/decode/rules/random.js';
import { sampleRow } from '../../src/decode/rules/sample-row.js';
import { CONFIDENCE_STREAM, drawToken, TOKEN_STREAM } from '../../src/decode/rules/sampling/draw-token.js';
import { probabilityOf } from '../../src/decode/rules/score-row.js';
import { DEFAULT_INPUTS } from '../../src/decode/rules/window/lookahead.js';
import { type PolicySpecInput, parsePolicySpec } from '../../src/decode/spec.js';

/** Probabilities .5, .3, .15, .05 of tokens 0 to 3; token 4 is the mask. Made anew: a row that is scored must stay as it is. */
const logitsOf = (): Float32Array => Float32Array.from([0.5, 0.3, 0.15, 0.05, 1e-9].map(Math.log));
const vocabulary = { vocab: 5, maskId: 4, endIds: [0] };
const at = { position: 3, draw: 1 };

const score = (change: Partial<PolicySpecInput>) =>
  sampleRow(
    logitsOf(),
    0,
    vocabulary,
    composePolicy({ ...policySpecByName('llada'), ...change }).scoring,
    at,
  );

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
    expect(sampleRow(logitsOf(), 0, two, never, at).token).toBe(2);
    const last = scoring({ logit: 'keep', confidence: 'last', turnId: null });
    const second = logitsOf().map((value, id) => (id === 0 ? Number.NEGATIVE_INFINITY : value));
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

describe('end of text among filtered logits', () => {
  it('last: has no share of what other tokens are judged by', () => {
    const endOfText = { logit: 'keep', confidence: 'last', turnId: null } as const;
    const seeds = Array.from({ length: 60 }, (_, seed) =>
      score({ endOfText, sampling: filtered({ temperature: 1, topP: 0.9, seed }) }),
    );
    // Of .5 .3 .15 the end token is .5.
    expect(seeds.find(({ token }) => token === 0)?.confidence).toBe(0);
    expect(seeds.find(({ token }) => token === 1)?.confidence).toBeCloseTo(0.3 / 0.45, 6);
    expect(seeds.find(({ token }) => token === 2)?.confidence).toBeCloseTo(0.15 / 0.45, 6);
  });
});

describe('end of turn', () => {
  const turn = (
    confidence: 'last' | 'upstream' | 'keep',
    sampling: PolicySpecInput['sampling'],
    change = {},
  ) => score({ endOfText: { logit: 'keep', confidence, turnId: 1 }, sampling, ...change });
  const greedy = { kind: 'greedy' } as const;
  const drawn = (seed: number) => ({ kind: 'gumbel', temperature: 1, seed }) as const;

  it('has no confidence, with the end of text or, upstream at a temperature, alone', () => {
    expect(turn('last', greedy)).toEqual({ token: 0, confidence: 0 });
    expect(turn('upstream', greedy)).toEqual({ token: 0, confidence: 0 });
    const seeds = Array.from({ length: 60 }, (_, seed) => turn('upstream', drawn(seed)));
    // The end of text keeps its own, of what is left without the other.
    expect(seeds.find(({ token }) => token === 0)?.confidence).toBeCloseTo(0.5 / 0.7, 6);
    expect(seeds.find(({ token }) => token === 1)?.confidence).toBe(0);
    const last = Array.from({ length: 60 }, (_, seed) => turn('last', drawn(seed)));
    for (const end of [0, 1]) expect(last.find(({ token }) => token === end)?.confidence).toBe(0);
    expect(last.find(({ token }) => token === 2)?.confidence).toBeCloseTo(0.15 / 0.2, 5);
    // At temperature 0 nothing is drawn.
    expect(turn('upstream', { kind: 'gumbel', temperature: 0, seed: 1 })).toEqual({
      token: 0,
      confidence: 0,
    });
  });

  it('is nothing special where it has its confidence, or where there is none', () => {
    expect(turn('keep', greedy).confidence).toBeCloseTo(0.5, 6);
    const seeds = Array.from({ length: 60 }, (_, seed) =>
      score({ endOfText: { logit: 'keep', confidence: 'last', turnId: null }, sampling: drawn(seed) }),
    );
    expect(seeds.find(({ token }) => token === 1)?.confidence).toBeCloseTo(0.3 / 0.5, 6);
  });
});

describe('a row that is scored', () => {
  const scoringOf = (change: Partial<PolicySpecInput>) =>
    composePolicy({ ...policySpecByName('llada'), ...change }).scoring;
  const never = { logit: 'never', confidence: 'last', turnId: 1 } as const;

  it('is the one that is asked for, and stays as it is', () => {
    const two = Float32Array.of(...logitsOf(), ...[0.05, 0.15, 0.3, 0.5, 1e-9].map(Math.log));
    const before = [...two];
    for (const [row, token] of [
      [0, 2],
      [1, 3],
    ]) {
      expect(sampleRow(two, row, vocabulary, scoringOf({ endOfText: never }), at).token).toBe(
        row === 0 ? 1 : token,
      );
      expect(sampleRow(two, row, vocabulary, scoringOf({}), at).token).toBe(row === 0 ? 0 : 3);
    }
    expect([...two]).toEqual(before);
    const second = sampleRow(two, 1, vocabulary, scoringOf({ endOfText: never }), at);
    expect(second.confidence).toBeCloseTo(0.5 / 0.8, 6);
  });

  it('without a counter draws nothing: not its token, not its confidence', () => {
    const drawn = { kind: 'gumbel', temperature: 50, seed: 1 } as const;
    for (const change of [{ sampling: drawn }, { confidence: 'random' }] as const) {
      const seen = sampleRow(logitsOf(), 0, vocabulary, scoringOf(change), null);
      expect(seen.token).toBe(0);
      expect(seen.confidence).toBeCloseTo(0.5, 6);
    }
    // The end of text is never said, and the end of turn, which is next, has no confidence.
    for (const change of [{ sampling: drawn }, { confidence: 'random' }] as const) {
      const scoring = scoringOf({ ...change, endOfText: never });
      expect(sampleRow(logitsOf(), 0, vocabulary, scoring, null)).toEqual({ token: 1, confidence: 0 });
    }
  });

  it('with one has a confidence that is drawn, from a stream of its own', () => {
    const random = (position: number, draw: number) =>
      sampleRow(logitsOf(), 0, vocabulary, scoringOf({ confidence: 'random' }), { position, draw });
    expect(random(3, 1)).toEqual({ token: 0, confidence: uniformAt(0, 1, 3, CONFIDENCE_STREAM) });
    expect(random(3, 2)).toEqual({ token: 0, confidence: uniformAt(0, 2, 3, CONFIDENCE_STREAM) });
    const seeded = { confidence: 'random', sampling: { kind: 'gumbel', temperature: 0, seed: 9 } } as const;
    const { confidence } = sampleRow(logitsOf(), 0, vocabulary, scoringOf(seeded), at);
    expect(confidence).toBe(uniformAt(9, at.draw, at.position, CONFIDENCE_STREAM));
    // Not the one that its token is drawn from.
    expect(confidence).not.toBe(uniformAt(9, at.draw, at.position, TOKEN_STREAM));
  });

  it('has the probability of its token among all, the mask too', () => {
    const even = Float32Array.of(0, 0, 0, 0, 0);
    const gumbel = { sampling: { kind: 'gumbel', temperature: 1, seed: 1 } } as const;
    expect(sampleRow(even, 0, vocabulary, scoringOf(gumbel), at).confidence).toBeCloseTo(0.2, 12);
    const half = Float32Array.of(Math.log(2), 0, 0, 0, -20);
    const { token, confidence } = sampleRow(half, 0, vocabulary, scoringOf(gumbel), at);
    expect(confidence).toBeCloseTo(token === 0 ? 2 / 5 : 1 / 5, 6);
    const rounded = sampleRow(
      half,
      0,
      vocabulary,
      scoringOf({ ...gumbel, confidenceType: 'bf16' }),
      at,
    ).confidence;
    expect(rounded).toBe(token === 0 ? 0.400390625 : 0.2001953125);
  });
});

describe('a probability', () => {
  it('is that of one token in one row, of all of the vocabulary', () => {
    const rows = Float32Array.of(0, Math.log(3), 0, /**/ Math.log(2), 0, Math.log(5));
    expect(probabilityOf(rows, 0, 3, 1)).toBeCloseTo(3 / 5, 6);
    expect(probabilityOf(rows, 0, 3, 2)).toBeCloseTo(1 / 5, 6);
    expect(probabilityOf(rows, 1, 3, 0)).toBeCloseTo(2 / 8, 6);
    expect(probabilityOf(rows, 1, 3, 2)).toBeCloseTo(5 / 8, 6);
    // Neither too large nor too small for an exponential.
    expect(probabilityOf(Float32Array.of(1000, 1000, -1000), 0, 3, 1)).toBe(0.5);
    expect(probabilityOf(Float32Array.of(-1000, -1000, -1000), 0, 3, 2)).toBeCloseTo(1 / 3, 12);
  });
});

describe('a drawn token', () => {
  const draw = (logits: readonly number[], scale: number, seed = 1, mask = 99) =>
    drawToken(Float32Array.from(logits), mask, scale, seed, at);

  it('is the one whose logit with its noise is largest, worked out beside', () => {
    const logits = [0.5, -1, 2, 0.25, 1];
    for (let seed = 0; seed < 40; seed++)
      for (const scale of [0.5, 1, 3]) {
        const noisy = logits.map(
          (logit, id) =>
            Math.fround(logit) -
            scale * Math.log(-Math.log(uniformAt(seed, at.draw, at.position, TOKEN_STREAM, id))),
        );
        expect(draw(logits, scale, seed)).toBe(noisy.indexOf(Math.max(...noisy)));
      }
  });

  it('is none that was removed, nor the mask; none at all where nothing is left', () => {
    const none = Number.NEGATIVE_INFINITY;
    for (let seed = 0; seed < 20; seed++) {
      expect(draw([none, 1, none, none], 5, seed)).toBe(1);
      expect(draw([none, 1, 100], 1, seed, 2)).toBe(1);
    }
    expect(draw([none, 9], 1, 1, 1)).toBe(-1);
    expect(draw([], 1)).toBe(-1);
  });
});

describe('a filter', () => {
  const judgedBy = (change: object, logits: readonly number[], mask = 99) => {
    const spec = parsePolicySpec({ ...policySpecByName('llada'), sampling: filtered(change) });
    const own = Float32Array.from(logits);
    const picked = rulesOf(spec).sampling.rule(factsOf(spec), DEFAULT_INPUTS).pick(own, mask, at);
    expect([...own]).toEqual(logits.map(Math.fround));
    return { token: picked?.token, left: [...(picked?.judged ?? [])] };
  };
  const none = Number.NEGATIVE_INFINITY;

  it('divides by the temperature, but at 0', () => {
    expect(judgedBy({ temperature: 0.5 }, [1, 2, 4]).left).toEqual([2, 4, 8]);
    expect(judgedBy({ temperature: 4 }, [1, 2, 4]).left).toEqual([0.25, 0.5, 1]);
    expect(judgedBy({ temperature: 0 }, [1, 2, 4]).left).toEqual([1, 2, 4]);
  });

  it('keeps the k best, of the same the first, and never the mask', () => {
    expect(judgedBy({ topK: 2 }, [3, 1, 3, 3]).left).toEqual([3, none, 3, none]);
    expect(judgedBy({ topK: 1 }, [1, 2, 4]).left).toEqual([none, none, 4]);
    expect(judgedBy({ topK: 9 }, [1, 2, 4]).left).toEqual([1, 2, 4]);
    expect(judgedBy({ topK: 2 }, [1, 2, 4], 2).left).toEqual([1, 2, none]);
    // What was removed before has no rank.
    expect(judgedBy({ topK: 2 }, [none, none, 4, 1]).left).toEqual([none, none, 4, 1]);
  });

  it('keeps the fewest that exceed p together; all of them where nothing does', () => {
    const halves = [8, 4, 2, 1, 1].map(Math.log);
    const kept = (topP: number) => judgedBy({ topP }, halves).left.filter((logit) => logit !== none).length;
    // Sums 8, 12, 14, 15 and 16 sixteenths.
    expect([0.49, 0.51, 0.74, 0.76, 0.88, 0.99, 1].map(kept)).toEqual([1, 2, 2, 3, 4, 5, 5]);
    // Logits far from 0: only their differences count.
    const far = [1000, 1000, 0];
    expect(judgedBy({ topP: 0.4 }, far).left).toEqual([1000, none, none]);
    expect(judgedBy({ topP: 0.6 }, far).left).toEqual([1000, 1000, none]);
  });

  it('still draws at temperature 0 in the order of llama.cpp, and in that of Dream takes the best', () => {
    const tokens = (order: 'dream' | 'llama.cpp', temperature: number) =>
      new Set(
        Array.from({ length: 80 }, (_, seed) => judgedBy({ order, temperature, seed }, [1, 1.2, 0.8]).token),
      );
    expect(tokens('dream', 0)).toEqual(new Set([1]));
    expect(tokens('llama.cpp', 0)).toEqual(new Set([0, 1, 2]));
    expect(tokens('dream', 1)).toEqual(new Set([0, 1, 2]));
    expect(tokens('llama.cpp', 1)).toEqual(new Set([0, 1, 2]));
  });
});

describe('entropy of llama.cpp', () => {
  it('is the opposite of the negative entropy', () => {
    const sure = score({ confidence: 'neg-entropy' }).confidence;
    expect(score({ confidence: 'entropy' }).confidence).toBeCloseTo(1 - sure, 12);
  });
});
