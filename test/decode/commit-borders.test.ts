import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Canvas } from '../../src/decode/canvas/types.js';
import { factsOf, rulesOf } from '../../src/decode/parts.js';
import { policySpecByName } from '../../src/decode/policies.js';
import { DEFAULT_INPUTS } from '../../src/decode/rules/window/lookahead.js';
import { type PolicySpecInput, parsePolicySpec } from '../../src/decode/spec.js';
import type { RowOutcome } from '../../src/pass/pass.js';
import * as plain from '../oracle/plain-decoder.js';
import { Script } from './support/script.js';

/**
 * Confidences of models never lie on a threshold, and no two are the same. Here they do and are: all numbers are eighths, or powers of
 * a half where logarithms are summed, so that sums and products are exact and every border is met.
 */
const eighth = fc.integer({ min: 0, max: 8 }).map((n) => n / 8);
const half = fc.integer({ min: 0, max: 4 }).map((n) => 2 ** -n);

interface Row extends RowOutcome {
  readonly drift: number;
}

/** Rows of the first block, ascending, as a rule gets them. */
const rows = (confidence: fc.Arbitrary<number>, longest = 12): fc.Arbitrary<Row[]> =>
  fc
    .uniqueArray(fc.integer({ min: 1, max: longest }), { minLength: 1, maxLength: longest })
    .chain((positions) =>
      fc.tuple(
        ...positions
          .sort((a, b) => a - b)
          .map((position) =>
            fc.record({ position: fc.constant(position), token: fc.nat(9), confidence, drift: eighth }),
          ),
      ),
    );

/** What a rule decides on a fresh canvas of two blocks. @param change of a policy that the rule is at home in */
function decided(
  commit: NonNullable<PolicySpecInput['commit']>,
  scores: readonly RowOutcome[],
  at: Partial<Canvas> = {},
  change: Partial<PolicySpecInput> = {},
  blockLength = 12,
): string[] {
  const spec = parsePolicySpec({ ...policySpecByName('block-kv'), ...change, blockLength, commit });
  const rule = rulesOf(spec).commit.rule(factsOf(spec), DEFAULT_INPUTS);
  return rule
    .decide({ ...canvasOf(blockLength), ...at }, scores, scores)
    .map(({ position, state }) => `${position}${state}`)
    .sort();
}

const canvases = new Map<number, Canvas>();
function canvasOf(blockLength: number, blocks = 2): Canvas {
  const key = 1000 * blocks + blockLength;
  const canvas =
    canvases.get(key) ??
    new Script({ ...policySpecByName('block-kv'), blockLength }, 1, blocks * blockLength).canvas;
  canvases.set(key, canvas);
  return canvas;
}

const placed = (scores: readonly { readonly position: number }[], state: 'S' | 'V' = 'S'): string[] =>
  scores.map(({ position }) => `${position}${state}`).sort();
const surest = (scores: readonly Row[]): Row[] =>
  [...scores].sort((a, b) => b.confidence - a.confidence || a.position - b.position);
/** What passes, or else the surest. */
const orOne = (passing: readonly Row[], scores: readonly Row[]): readonly Row[] =>
  passing.length > 0 ? passing : surest(scores).slice(0, 1);
const AT = { step: 0, masks: 12, block: 0 };

function always<T>(cases: fc.Arbitrary<T>, holds: (value: T) => void): void {
  fc.assert(fc.property(cases, holds), { numRuns: 60 });
}

describe('a commit rule at its border', () => {
  it('threshold: at least, or above', () => {
    always(fc.tuple(rows(eighth), eighth, fc.boolean()), ([scores, tau, strict]) => {
      const compare = strict ? 'above' : 'at-least';
      const wanted = placed(plain.threshold(tau, strict)(scores, AT));
      expect(decided({ kind: 'threshold', tau, compare }, scores)).toEqual(wanted);
    });
  });

  it('factor, also as published, where a failure at the last rank is committed', () => {
    always(fc.tuple(rows(eighth), fc.integer({ min: 1, max: 30 })), ([scores, n]) => {
      const found = decided({ kind: 'factor', factor: n / 8 }, scores);
      expect(found).toEqual(placed(plain.factor(n / 8)(scores, AT)));
      const published = decided({ kind: 'factor', factor: n / 8, lastRank: 'published' }, scores);
      const fails = surest(scores).map(({ confidence }, rank) => (rank + 2) * (1 - confidence) >= n / 8);
      expect(published).toEqual(fails.indexOf(true) === scores.length - 1 ? placed(scores) : found);
    });
  });

  it('entropy-bound: the entropies before the newest sum to gamma at most', () => {
    const gammas = fc.integer({ min: 0, max: 5 }).map((n) => n * Math.LN2);
    always(fc.tuple(rows(half), gammas), ([scores, gamma]) => {
      const entropic = { confidence: 'inverse-perplexity' } as const;
      const wanted = placed(plain.entropyBound(gamma)(scores, AT));
      expect(decided({ kind: 'entropy-bound', gamma }, scores, {}, entropic)).toEqual(wanted);
    });
  });

  it('local-leap: anchor, near and distance', () => {
    const options = fc.tuple(eighth, eighth, fc.integer({ min: 0, max: 4 }));
    always(fc.tuple(rows(eighth), options), ([scores, [a, b, distance]]) => {
      const [near, anchor] = [Math.min(a, b), Math.max(a, b)];
      const wanted = placed(plain.localLeap(anchor, near, distance)(scores, AT));
      expect(decided({ kind: 'local-leap', anchor, near, distance }, scores)).toEqual(wanted);
    });
  });

  it.each(['prefix', 'either', 'cumulative'] as const)('bounded-rank %s', (bound) => {
    const factors = fc.integer({ min: 1, max: 24 }).map((n) => n / 8);
    always(fc.tuple(rows(half), half, eighth, factors), ([scores, tau, floor, factor]) => {
      const wanted = placed(plain.boundedRank(bound, tau, floor, factor)(scores, AT));
      expect(decided({ kind: 'bounded-rank', bound, tau, floor, factor }, scores)).toEqual(wanted);
    });
  });

  it('frechet: the largest number of the surest whose bound exceeds delta', () => {
    always(fc.tuple(rows(eighth), eighth), ([scores, delta]) => {
      const order = surest(scores);
      const passes = (n: number): boolean => {
        const sum = order.slice(0, n).reduce((total, { confidence }) => total + confidence, 0);
        return Math.max(0, sum - (n - 1)) - (1 - order[n - 1].confidence) > delta;
      };
      const sizes = order.map((_, index) => index + 1).filter(passes);
      const wanted = placed(order.slice(0, Math.max(1, ...sizes)));
      expect(decided({ kind: 'frechet', delta }, scores)).toEqual(wanted);
    });
  });

  it('staged: both thresholds are reached, not exceeded', () => {
    always(fc.tuple(rows(eighth), eighth, eighth), ([scores, a, b]) => {
      const [visible, stable] = [Math.min(a, b), Math.max(a, b)];
      const passing = scores.filter(({ confidence }) => confidence >= visible);
      const wanted =
        passing.length > 0
          ? passing.map(({ position, confidence }) => `${position}${confidence >= stable ? 'S' : 'V'}`).sort()
          : placed(surest(scores).slice(0, 1), 'V');
      expect(decided({ kind: 'staged', visible, stable }, scores)).toEqual(wanted);
    });
  });

  it('revocable: above tau, of m masks at most 70 % of them but 5 to 20', () => {
    const blocks = fc.integer({ min: 1, max: 40 }).chain((m) => fc.tuple(fc.constant(m), rows(eighth, m)));
    always(fc.tuple(blocks, eighth), ([[blockLength, scores], tau]) => {
      const cap = Math.min(20, Math.max(5, Math.floor(0.7 * blockLength + 1e-9)));
      const passing = surest(scores.filter(({ confidence }) => confidence > tau)).slice(0, cap);
      const { window, cache, revoke } = policySpecByName('wino');
      expect(decided({ kind: 'revocable', tau }, scores, {}, { window, cache, revoke }, blockLength)).toEqual(
        placed(orOne(passing, scores), 'V'),
      );
    });
  });

  it('revocable: of 1 to 40 sure masks no more than its share', () => {
    const { window, cache, revoke } = policySpecByName('wino');
    const counts = Array.from({ length: 40 }, (_, index) => {
      const scores = Array.from({ length: index + 1 }, (_row, at) => ({
        position: 1 + at,
        token: 0,
        confidence: 1,
      }));
      return decided({ kind: 'revocable' }, scores, {}, { window, cache, revoke }, index + 1).length;
    });
    // 70 %, rounded down: 7 of 10, 7 of 11, 8 of 12; never below 5 where there are as many, never above 20.
    expect(counts).toEqual([
      1, 2, 3, 4, 5, 5, 5, 5, 6, 7, 7, 8, 9, 9, 10, 11, 11, 12, 13, 14, 14, 15, 16, 16, 17, 18, 18, 19, 20,
      20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20,
    ]);
  });

  it('sub-blocks: of the first with masks what exceeds tau, and the surest', () => {
    always(fc.tuple(rows(eighth), eighth, fc.integer({ min: 1, max: 6 })), ([scores, tau, length]) => {
      const partOf = ({ position }: Row): number => Math.floor((position - 1) / length);
      const own = scores.filter((score) => partOf(score) === partOf(scores[0]));
      const [top] = surest(own);
      const wanted = placed(own.filter((score) => score === top || score.confidence > tau));
      expect(decided({ kind: 'sub-blocks', length, tau }, scores)).toEqual(wanted);
    });
  });

  it('joint-threshold: masks above tau, visible', () => {
    always(fc.tuple(rows(eighth), eighth), ([scores, tau]) => {
      const passing = scores.filter(({ confidence }) => confidence > tau);
      expect(decided({ kind: 'joint-threshold', tau }, scores)).toEqual(placed(orOne(passing, scores), 'V'));
    });
  });

  it('klass: above tau, moved by less than drift, from step number `steps` on', () => {
    const options = fc.tuple(eighth, eighth, fc.integer({ min: 1, max: 3 }), fc.nat(3));
    always(fc.tuple(rows(eighth), options), ([scores, [tau, drift, steps, blockSteps]]) => {
      const passing = scores.filter(
        (score) => blockSteps + 1 >= steps && score.confidence > tau && score.drift < drift,
      );
      expect(decided({ kind: 'klass', tau, drift, steps }, scores, { blockSteps })).toEqual(
        placed(orOne(passing, scores)),
      );
      const unmoved = scores.map(({ drift: _, ...score }) => score);
      expect(decided({ kind: 'klass', tau, drift, steps }, unmoved, { blockSteps })).toEqual(
        placed(orOne([], scores)),
      );
    });
  });

  it('quota: the surest, of the same the first', () => {
    always(fc.tuple(rows(eighth), fc.integer({ min: 1, max: 12 })), ([scores, stepsPerBlock]) => {
      const wanted = placed(plain.quotas(12, stepsPerBlock)(scores, AT));
      expect(decided({ kind: 'quota', stepsPerBlock }, scores)).toEqual(wanted);
    });
  });

  it('timestep: the surest share of the masks, of the same the first', () => {
    always(fc.tuple(rows(eighth), fc.integer({ min: 1, max: 12 }), fc.nat(11)), ([scores, steps, at]) => {
      const step = at % steps;
      const wanted = placed(plain.timeline(steps, 0.001, false, 0, 0)(scores, { ...AT, step }));
      expect(decided({ kind: 'timestep', steps }, scores, { blockSteps: step })).toEqual(wanted);
    });
  });

  it('active-blocks: entropy below, of the open block and of the next where enough is decided', () => {
    const entropies = fc.integer({ min: 0, max: 5 }).map((n) => n * Math.LN2);
    always(fc.tuple(rows(half, 12), entropies), ([scores, entropy]) => {
      const { window, cache } = policySpecByName('multi-block');
      const change = { confidence: 'inverse-perplexity', window, cache } as const;
      const at = (opens: number) => decided({ kind: 'active-blocks', entropy, opens }, scores, {}, change, 6);
      const low = (score: Row): boolean => Math.log(1 / score.confidence) < entropy;
      const own = scores.filter(({ position }) => position <= 6);
      const forced = own.some(low) ? [] : surest(own).slice(0, 1);
      // Nothing is decided yet: a share of 0 is reached, a larger one is not.
      expect(at(0)).toEqual(placed([...scores.filter(low), ...forced]));
      expect(at(1 / 6)).toEqual(placed([...own.filter(low), ...forced]));
    });
  });
});

/** Prophet's thirds and its gap, each met exactly. */
describe('early-commit at its borders', () => {
  const gaps = (at: Readonly<Record<number, number>>): RowOutcome[] =>
    Array.from({ length: 8 }, (_, index) => ({
      position: 1 + index,
      token: 0,
      confidence: 0.5,
      gap: at[1 + index] ?? 0,
    }));
  const { window, cache } = policySpecByName('prophet');
  const isEarly = (
    at: Readonly<Record<number, number>>,
    blockSteps: number,
    change: { readonly blocks?: number } = {},
  ): boolean => {
    const commit = { kind: 'early-commit', answer: 2, length: 3, early: 4, mid: 2, late: 1 } as const;
    const spec: PolicySpecInput = { ...policySpecByName('prophet'), blockLength: 100, window, cache, commit };
    const parsed = parsePolicySpec(spec);
    const rule = rulesOf(parsed).commit.rule(factsOf(parsed), DEFAULT_INPUTS);
    const rows = gaps(at);
    return (
      rule.decide({ ...canvasOf(100, change.blocks ?? 1), blockSteps }, rows, rows).length === rows.length
    );
  };

  it('takes the mean over the positions of the answer, and a gap that is as large as asked', () => {
    expect(isEarly({ 3: 4, 4: 4, 5: 4 }, 0)).toBe(true);
    expect(isEarly({ 3: 4, 4: 4, 5: 3.75 }, 0)).toBe(false);
    expect(isEarly({ 3: 6, 4: 6, 5: 0 }, 0)).toBe(true);
    expect(isEarly({ 2: 100, 6: 100, 3: 4, 4: 4, 5: 3 }, 0)).toBe(false);
  });

  it('asks less from 33 % and from 67 % of the steps on, this one counted', () => {
    const all = (gap: number) => ({ 3: gap, 4: gap, 5: gap });
    expect(isEarly(all(2), 31)).toBe(false);
    expect(isEarly(all(2), 32)).toBe(true);
    expect(isEarly(all(1), 65)).toBe(false);
    expect(isEarly(all(1), 66)).toBe(true);
    expect(isEarly(all(2), 32, { blocks: 2 })).toBe(false);
  });
});
