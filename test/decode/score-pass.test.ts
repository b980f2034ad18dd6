import { describe, expect, it } from 'vitest';
import { composePolicy } from '../../src/decode/method/compose.js';
import { guideLogits } from '../../src/decode/method/guidance.js';
import { RowMemory } from '../../src/decode/method/row-memory.js';
import { bestBeside, predictorPass, scorePass } from '../../src/decode/method/score-pass.js';
import { policySpecByName } from '../../src/decode/policies.js';
import { uniformAt } from '../../src/decode/rules/random.js';
import { CONFIDENCE_STREAM } from '../../src/decode/rules/sampling/draw-token.js';
import type { PolicySpecInput } from '../../src/decode/spec.js';
import type { Pass, PassRow } from '../../src/pass/pass.js';
import { passOf } from './support/one-record.js';

const scoringOf = (name: string, change: Partial<PolicySpecInput> = {}) =>
  composePolicy({ ...policySpecByName(name), ...change }).scoring;
const vocabulary = { vocab: 4, maskId: 3, endIds: [] };
/** Logits of one row, so that its softmax is these shares of 16. */
const shares = (...of: number[]): number[] => of.map((share) => Math.log(share / 16));
const FIRST = shares(8, 4, 2, 2);
const SECOND = shares(2, 4, 8, 2);

const scored = (
  pass: Pass,
  logits: readonly number[],
  scoring = scoringOf('llada'),
  memory = new RowMemory(null),
) => scorePass(pass, Float32Array.from(logits), vocabulary, scoring, memory).rows;
const rowsOf = (...rows: PassRow[]): Pass => passOf([], { rows, logits: rows.map((_, at) => at) });

describe('what the logits of a pass say', () => {
  it('is of each row that gets logits, in its place', () => {
    const pass = {
      ...rowsOf({ position: 5, feed: 0 }, { position: 6, feed: 0 }, { position: 7, feed: 0 }),
      logits: [0, 2],
    };
    const { passId } = scorePass(
      pass,
      Float32Array.from([...FIRST, ...SECOND]),
      vocabulary,
      scoringOf('llada'),
      new RowMemory(null),
    );
    expect(passId).toBe('0.0');
    const [first, second, ...none] = scored(pass, [...FIRST, ...SECOND]);
    expect(none).toEqual([]);
    expect([first, second]).toMatchObject([
      { position: 5, token: 0 },
      { position: 7, token: 2 },
    ]);
    expect([first.confidence, second.confidence]).toEqual([expect.closeTo(0.5, 6), expect.closeTo(0.5, 6)]);
    for (const key of ['asked', 'drift', 'gap', 'instead'] as const) expect(first[key]).toBeUndefined();
  });

  it('has the probability of the token that a row asks about', () => {
    const pass = rowsOf(
      { position: 1, feed: 0, asks: 2 },
      { position: 2, feed: 0, asks: 0 },
      { position: 3, feed: 0 },
    );
    expect(scored(pass, [...FIRST, ...SECOND, ...SECOND]).map(({ asked }) => asked)).toEqual([
      expect.closeTo(2 / 16, 6),
      expect.closeTo(2 / 16, 6),
      undefined,
    ]);
  });

  it('is drawn where a row has a counter, by it and its position', () => {
    const pass = rowsOf({ position: 4, feed: 0, draw: 6 }, { position: 5, feed: 0 });
    const [drawn, plain] = scored(pass, [...FIRST, ...FIRST], scoringOf('llada', { confidence: 'random' }));
    expect(drawn.confidence).toBe(uniformAt(0, 6, 4, CONFIDENCE_STREAM));
    expect(plain.confidence).toBeCloseTo(0.5, 6);
  });

  it('has the gap of the best two logits, the mask apart, where a policy asks', () => {
    const gap = (logits: readonly number[]) =>
      scored(rowsOf({ position: 1, feed: 0 }), logits, scoringOf('prophet'))[0].gap;
    expect(gap([1, 5, 3, 99])).toBe(2);
    expect(gap([5, 1, 3, 99])).toBe(2);
    expect(gap([3, 5, 5, 0])).toBe(0);
    expect(gap([-3, -1, -2, -9])).toBe(1);
    expect(gap([1, 2, 7, 0])).toBe(5);
    const two = scored(
      rowsOf({ position: 1, feed: 0 }, { position: 2, feed: 0 }),
      [1, 5, 3, 9, 8, 4, 0, 9],
      scoringOf('prophet'),
    );
    expect(two.map((row) => row.gap)).toEqual([2, 4]);
  });

  it('has the best token beside those that a row excludes, and the mask', () => {
    const of = (excludes: readonly number[] | undefined, logits = [1, 5, 3, 99]) =>
      scored(rowsOf({ position: 0, feed: 0 }, { position: 1, feed: 0, excludes }), [9, 9, 9, 9, ...logits])[1]
        .instead;
    expect([of(undefined), of([]), of([1]), of([1, 2]), of([0, 1, 2])]).toEqual([
      undefined,
      1,
      2,
      0,
      undefined,
    ]);
    expect(of([1], [4, 9, 4, 4])).toBe(0);
    expect(bestBeside(Float32Array.of(2, 3, 3, 1), [])).toBe(1);
    expect(bestBeside(Float32Array.of(2, 3, 1), [1])).toBe(0);
    expect(bestBeside(Float32Array.of(1, 3, 2), [1])).toBe(2);
    expect(bestBeside(Float32Array.of(), [])).toBeUndefined();
  });

  it('is read in the rows before where a model shifts', () => {
    const pass = passOf([4, 5, 6], { logits: [1, 2] });
    expect(predictorPass(pass, false)).toBe(pass);
    expect(predictorPass(pass, true)).toEqual({ ...pass, logits: [0, 1] });
  });

  it('is guided where the pass has a copy with the prompt masked', () => {
    const rows = [1, 2, 1, 2].map((position) => ({ position, feed: 0 }));
    const pass: Pass = {
      ...{ ...rowsOf(...rows), guidance: 1 },
      visibility: {
        groups: [5, 6].map((version) => ({ kind: 'denoise', version, rows: 2, sees: [], visibility: 'all' })),
      },
    };
    // 2 c - u: of [0, 2, 0, 0] and [0, 0, 3, 0] it is [0, 4, -3, 0].
    const logits = [...[0, 2, 0, 0], ...[0, 0, 1, 0], ...[0, 0, 3, 0], ...[0, 5, 0, 0]];
    const given = Float32Array.from(logits);
    expect([...guideLogits(pass, given)]).toEqual([...[0, 4, -3, 0], ...[0, -5, 2, 0], ...logits.slice(8)]);
    expect([...given]).toEqual(logits);
    expect(guideLogits({}, given)).toBe(given);
    const said = scored(pass, logits);
    expect(said.map(({ token }) => token)).toEqual([1, 2, 2, 1]);
    const weights = [0, 4, -3, 0].map(Math.exp);
    expect(said[0].confidence).toBeCloseTo(weights[1] / weights.reduce((a, b) => a + b), 9);
  });
});

describe('how far a row has moved', () => {
  const denoise = passOf([1]);
  /** KL in nats of shares of 16. */
  const kl = (to: readonly number[], from: readonly number[]): number =>
    to.reduce((sum, p, id) => sum + (p / 16) * Math.log(p / from[id]), 0);
  const [a, b, c] = [
    [8, 4, 2, 2],
    [2, 4, 8, 2],
    [4, 4, 4, 4],
  ];
  const logits = (of: readonly number[]) => Float32Array.from(shares(...of));

  it('is the largest of the last moves, once there are as many', () => {
    const memory = new RowMemory(2);
    const moved = (of: readonly number[], position = 1) => memory.drift(denoise, position, logits(of));
    expect([moved(a), moved(b)]).toEqual([undefined, undefined]);
    expect(moved(c)).toBeCloseTo(Math.max(kl(b, a), kl(c, b)), 5);
    expect(moved(c)).toBeCloseTo(Math.max(kl(c, b), 0), 5);
    expect(moved(c)).toBeCloseTo(0, 9);
    expect(moved(a)).toBeCloseTo(kl(a, c), 5);
    // Every position has its own.
    expect(moved(a, 2)).toBeUndefined();
  });

  it('is of the last move alone where one is asked for', () => {
    const memory = new RowMemory(1);
    expect(memory.drift(denoise, 1, logits(a))).toBeUndefined();
    expect(memory.drift(denoise, 1, logits(b))).toBeCloseTo(kl(b, a), 5);
    expect(memory.drift(denoise, 1, logits(c))).toBeCloseTo(kl(c, b), 5);
  });

  it('is of distributions: logits that are all larger say the same, and one that is impossible is far away', () => {
    const memory = new RowMemory(1);
    const far = shares(...a).map((logit) => logit + 900);
    memory.drift(denoise, 1, logits(a));
    expect(memory.drift(denoise, 1, Float32Array.from(far))).toBeCloseTo(0, 5);
    memory.drift(denoise, 2, Float32Array.of(0, -1e30));
    // ln(1/2 + 1e-12) - ln(1e-12), for half; and ln 1/2 for the other half.
    expect(memory.drift(denoise, 2, Float32Array.of(0, 0))).toBeCloseTo(
      0.5 * (Math.log(0.5) - Math.log(1e-12)) + 0.5 * Math.log(0.5),
      6,
    );
  });

  it('of a row that a token is impossible in counts nothing for it', () => {
    const memory = new RowMemory(1);
    memory.drift(denoise, 1, Float32Array.of(0, 0));
    expect(memory.drift(denoise, 1, Float32Array.of(0, -1e30))).toBeCloseTo(Math.LN2, 9);
  });

  it('is asked of passes that denoise, by policies that want to know', () => {
    const none = new RowMemory(null);
    expect([none.drift(denoise, 1, logits(a)), none.drift(denoise, 1, logits(b))]).toEqual([
      undefined,
      undefined,
    ]);
    const memory = new RowMemory(1);
    memory.drift(denoise, 1, logits(a));
    for (const kind of ['prefill', 'seal', 'refresh'] as const)
      expect(memory.drift({ ...denoise, kind }, 1, logits(b)), kind).toBeUndefined();
    expect(memory.drift(denoise, 1, logits(a))).toBeCloseTo(0, 9);
  });

  it('is handed to a policy by what it asks for', () => {
    expect([scoringOf('klass').drift, scoringOf('llada').drift]).toEqual([2, null]);
    const memory = new RowMemory(1);
    const pass = rowsOf({ position: 1, feed: 0 }, { position: 2, feed: 0 });
    scored(pass, [...FIRST, ...SECOND], scoringOf('klass'), memory);
    const drifts = scored(pass, [...SECOND, ...SECOND], scoringOf('klass'), memory).map(({ drift }) => drift);
    expect(drifts).toEqual([expect.closeTo(kl(b, a), 5), expect.closeTo(0, 9)]);
  });
});
