import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { factsOf, rulesOf } from '../../src/decode/parts.js';
import { policySpecByName } from '../../src/decode/policies.js';
import { CONFIDENCES, type ConfidenceName } from '../../src/decode/rules/confidence/registry.js';
import { rounded } from '../../src/decode/rules/number-type.js';
import { uniformAt } from '../../src/decode/rules/random.js';
import { landing } from '../../src/decode/rules/refresh/landing.js';
import { drawToken } from '../../src/decode/rules/sampling/draw-token.js';
import { scoreRow } from '../../src/decode/rules/score-row.js';
import { DEFAULT_INPUTS } from '../../src/decode/rules/window/lookahead.js';
import { parsePolicySpec } from '../../src/decode/spec.js';
import { hashNumbers } from '../../src/util/hash-numbers.js';
import { MASK, Script } from './support/script.js';

/** What happens exactly at a threshold, and between equals: models never come there, so that only this says it. */
describe('a landing', () => {
  const before = {
    state: 'V',
    token: 4,
    confidence: 0.5,
    kv: { position: 3, version: 1, token: 4, residency: 'mutable' },
    draft: null,
  } as const;
  const target = { position: 3, feed: 4, token: 4 } as const;
  const land = (token: number, confidence: number, replace: 'visible' | 'always' = 'visible') =>
    landing({ visible: 0.5, stable: 0.75 }, replace)(before, target as never, 9, {
      position: 3,
      token,
      confidence,
    });

  it('renames a token at theta_visible, not below', () => {
    expect(land(7, 0.5)).toMatchObject({ state: 'V', token: 7, confidence: 0.5 });
    expect(land(7, 0.4375)).toMatchObject({ state: 'V', token: 4, confidence: 0.5 });
    expect(land(7, 0.4375, 'always')).toMatchObject({ state: 'V', token: 7, confidence: 0.4375 });
  });

  it('settles a token at theta_stable, not below, and another one never: its KV was made of the old', () => {
    expect(land(4, 0.75)).toMatchObject({ state: 'S', confidence: 0.75, kv: { residency: 'long-term' } });
    expect(land(4, 0.6875)).toMatchObject({ state: 'V', confidence: 0.6875, kv: { residency: 'mutable' } });
    expect(land(7, 1)).toMatchObject({ state: 'V', token: 7, kv: { token: 4, residency: 'mutable' } });
  });

  it('has the KV of its pass, and is stale no more', () => {
    const landed = landing({ visible: 0.5, stable: 0.75 }, 'visible')(
      { ...before, stale: true },
      target as never,
      9,
      { position: 3, token: 4, confidence: 0.25 },
    );
    expect(landed).toEqual({
      ...before,
      confidence: 0.25,
      kv: { position: 3, version: 9, token: 4, residency: 'mutable' },
    });
  });
});

describe('what a shadow row takes back', () => {
  const spec = parsePolicySpec({ ...policySpecByName('wino'), revoke: { kind: 'shadow', tau: 0.5 } });
  const rule = rulesOf(spec).revoke.rule(factsOf(spec), DEFAULT_INPUTS);
  const { canvas } = new Script(spec, 1, 32);
  const revoked = (asked: readonly number[], promoted: number, lastPromoted: number | null = null) =>
    rule
      .decide(
        { ...canvas, lastPromoted },
        asked.map((probability, at) => ({ position: 1 + at, token: 0, confidence: 1, asked: probability })),
        promoted,
      )
      .map(({ position, token, state }) => `${position}${state}${token === MASK ? '_' : token}`);

  it('is less likely than tau, the least likely first, of the same the first', () => {
    expect(revoked([0.5, 0.25, 0.4375, 0.25, 0.75], 2)).toEqual(['2IV_', '4IV_', '3IV_']);
  });

  it('is nothing in a step that gave one token, and fewer than the step before gave', () => {
    expect(revoked([0.25, 0.25], 1)).toEqual([]);
    expect(revoked([0.25, 0.125, 0.375], 2, 3)).toEqual(['2IV_', '1IV_']);
    expect(revoked([0.25, 0.125, 0.375], 2, 4)).toEqual(['2IV_', '1IV_', '3IV_']);
    expect(revoked([0.25, 0.125, 0.375], 2, 1)).toEqual([]);
  });
});

describe('a streaming window', () => {
  it('commits below its entropy, with what each position from the first mask on adds', () => {
    const reasons: string[] = [];
    const text = (said: Record<number, readonly [number, number]>, penalty = 0): string => {
      const window = { kind: 'streaming', width: 4, entropy: Math.LN2, penalty } as const;
      const script = new Script({ ...policySpecByName('wedlm'), window }, 2, 4);
      script.step();
      const { transitions } = script.step(said);
      reasons.push(...transitions.flatMap(({ to, reason }) => (to === 'S' ? [reason] : [])));
      return script.canvas.positions
        .slice(2)
        .map(({ token }) => (token === MASK ? '_' : token))
        .join(' ');
    };
    // -ln(1/2) is the threshold itself; where none is below it, the least of the first gets its token.
    expect(text({ 2: [4, 0.5], 3: [5, 0.75], 4: [6, 0.5], 5: [7, 0.25] })).toBe('_ 5 _ _');
    expect(text({ 2: [4, 0.5], 3: [5, 0.5], 4: [6, 0.5], 5: [7, 0.25] })).toBe('4 _ _ _');
    expect(reasons).toEqual(['commit', 'promote-best']);
    // 0.2877 nats: twice 0.2 more is still below ln 2 = 0.6931, three times is not.
    const sure = { 2: [4, 0.75], 3: [5, 0.75], 4: [6, 0.75], 5: [7, 0.75] } as const;
    expect(text(sure, 0.2)).toBe('4 5 6 _');
  });
});

describe('tokens of indel', () => {
  const spec = (commit: object) => ({
    ...policySpecByName('joint-threshold'),
    blockLength: 2,
    commit: { kind: 'indel', deleteId: 2, splitId: 3, ...commit } as const,
  });
  const text = ({ canvas }: Script): string =>
    canvas.positions
      .slice(canvas.promptLength)
      .map(({ token }) => (token === MASK ? '_' : token))
      .join(' ');

  it('are written above tau, and changed above edit', () => {
    const script = new Script(spec({ tau: 0.5, edit: 0.5 }), 2, 2);
    script.step();
    script.step({ 2: [4, 0.5], 3: [5, 0.75] });
    expect(text(script)).toBe('_ 5');
    script.step({ 2: [4, 0.75], 3: [6, 0.5] });
    expect(text(script)).toBe('4 5');
    script.step({ 2: [4, 0.75], 3: [6, 0.5625] });
    expect(text(script)).toBe('4 6');
  });
});

describe('equals', () => {
  const at = { position: 3, draw: 1 };

  it('are drawn lowest id first where nothing is added, and the mask never', () => {
    expect(drawToken(Float32Array.of(9, 1, 5, 5, 2), 0, 0, 1, at)).toBe(2);
    expect(drawToken(Float32Array.of(5, 5), 1, 0, 1, at)).toBe(0);
  });

  it('stay lowest id first in top-k and top-p', () => {
    const spec = (change: object) =>
      parsePolicySpec({
        ...policySpecByName('dream'),
        sampling: { kind: 'filtered', temperature: 1, topP: null, topK: null, seed: 0, ...change },
      });
    const kept = (change: object): number[] => {
      const own = spec(change);
      const judged = rulesOf(own)
        .sampling.rule(factsOf(own), DEFAULT_INPUTS)
        .pick(Float32Array.of(1, 0, 1, 1, 1), 4, at)?.judged;
      return [...(judged?.keys() ?? [])].filter((id) => judged?.[id] !== Number.NEGATIVE_INFINITY);
    };
    expect(kept({ topK: 2 })).toEqual([0, 2]);
    expect(kept({ topP: 0.5 })).toEqual([0, 2]);
  });
});

describe('a uniform number', () => {
  it('lies in the middle of its share of the hash, so that it is never 0 or 1 and has a logarithm', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { minLength: 1, maxLength: 4 }), (counters) => {
        expect(uniformAt(...counters) * 2 ** 32).toBe(hashNumbers(...counters) + 0.5);
      }),
    );
  });
});

/** Of a published loop in another number format: what is rounded, and where. */
describe('a confidence in f32 and bf16', () => {
  /** The nearest with 8 bits, of two as near the even one; independent of bit patterns. */
  const bf16 = (value: number): number => {
    if (value === 0 || !Number.isFinite(value)) return value;
    const unit = 2 ** (Math.floor(Math.log2(Math.abs(Math.fround(value)))) - 7);
    const [low, share] = [Math.floor(Math.fround(value) / unit), (Math.fround(value) / unit) % 1];
    const up = share < 0 ? 1 + share : share;
    return unit * (up > 0.5 || (up === 0.5 && low % 2 !== 0) ? low + 1 : low);
  };
  const ROUND = { f32: Math.fround, bf16 } as const;

  it('rounds to nearest, ties to even', () => {
    fc.assert(
      fc.property(fc.float({ min: -8, max: 8, noNaN: true, noDefaultInfinity: true }), (value) => {
        if (Math.abs(value) < 1e-30) return;
        expect(rounded(value, 'bf16')).toBe(bf16(value));
      }),
    );
    expect([1 + 2 ** -8, 1 + 3 * 2 ** -8].map((tie) => rounded(tie, 'bf16'))).toEqual([1, 1 + 2 ** -6]);
  });

  it.each(['f32', 'bf16'] as const)(
    '%s: a probability, a difference and an entropy, each rounded once made',
    (type) => {
      const round = ROUND[type];
      const values = fc.array(fc.float({ min: -6, max: 6, noNaN: true }), { minLength: 4, maxLength: 9 });
      fc.assert(
        fc.property(values, (logits) => {
          const maximum = Math.max(...logits);
          const weights = logits.map((logit) => Math.exp(logit - maximum));
          const sum = weights.reduce((a, b) => a + b, 0);
          const p = weights.map((weight) => round(weight / sum));
          // The first is the mask.
          const [best, second] = p.slice(1).sort((a, b) => b - a);
          const terms = p.map((each) => round(each * round(Math.log(round(each + 1e-10)))));
          const nats = -round(terms.reduce((a, b) => a + b, 0));
          const share = Math.min(1, Math.max(0, nats / Math.log(p.length)));
          const said = (name: ConfidenceName): number =>
            scoreRow(Float32Array.from(logits), 0, logits.length, 0, name, type).confidence;
          expect(said('max-softmax')).toBe(best);
          expect(said('margin')).toBe(round(best - second));
          expect(said('entropy')).toBe(share);
          expect(said('neg-entropy')).toBe(1 - said('entropy'));
        }),
        { numRuns: 60 },
      );
    },
  );

  it.each(Object.keys(CONFIDENCES) as ConfidenceName[])(
    '%s is a number where probabilities are 0',
    (name) => {
      const logits = Float32Array.of(-1e4, 3, -1e4, 2);
      for (const type of ['f64', 'f32', 'bf16'] as const) {
        const { confidence } = scoreRow(logits, 0, 4, 0, name, type);
        expect(confidence, type).toBeGreaterThan(0);
        expect(confidence, type).toBeLessThan(1);
      }
    },
  );
});
