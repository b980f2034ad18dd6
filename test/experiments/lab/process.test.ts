import { describe, expect, it } from 'vitest';
import {
  FLOOR,
  SYNTHETIC_CONFIG,
  SyntheticEngine,
  streamAt,
  TOKENS,
} from '../../../experiments/lab/deciders/synthetic/engine.js';
import {
  beforeNext,
  confidenceOf,
  contextOf,
  latentAt,
  type ProcessParameters,
  wholeOf,
} from '../../../experiments/lab/deciders/synthetic/process.js';
import { CheckError } from '../../../src/errors.js';
import type { Pass, PassRow, Visibility } from '../../../src/pass/pass.js';
import { hashNumbers } from '../../../src/util/hash-numbers.js';

/** A neighbour counts half as much as the one before it, so that sums can be worked by hand. */
const HALF = 1 / Math.LN2;
const parameters: ProcessParameters = {
  bias: 0.25,
  gapWeight: 0.5,
  densityWeight: 2,
  densityScale: HALF,
  easyShare: 0.5,
  easyBonus: 3,
  spread: 0.25,
  sharpness: 4,
  wrongWeight: 0.25,
  knee: 1,
  endBonus: 8,
  selfBonus: -1,
};

describe('the context of a position', () => {
  it('is a gap to the left and a mean that fades on both sides', () => {
    expect(wholeOf(HALF)).toBeCloseTo(1, 12);
    const { gap, density } = contextOf(Float64Array.of(1, 0, 0.25, 0), HALF);
    // Only a right token ends a gap; a wrong one is part of it.
    expect([...gap]).toEqual([0, 0, 1, 2]);
    // From the left 1, 1, 1/2, 3/8; from the right 1/16, 1/8, 0, 0 over what is there: 3/4, 1/2. The last mask does not count.
    const expected = [(1 + 1 / 16) / 1.75, (1 + 1 / 8) / 1.5, 1 / 2, 3 / 8];
    expected.forEach((value, at) => {
      expect(density[at], `${at}`).toBeCloseTo(value, 12);
    });
  });

  it('goes on from what lies left of it', () => {
    const weights = [1, 0, 0.25, 0];
    const whole = { sum: wholeOf(HALF), gap: 0 };
    const next = beforeNext(Float64Array.from(weights), HALF, whole);
    expect(next.sum).toBeCloseTo(3 / 16, 12);
    expect(next.gap).toBe(3);
    expect(beforeNext(Float64Array.of(1), HALF, next)).toMatchObject({ gap: 0 });
    const { gap, density } = contextOf(Float64Array.of(0), HALF, next);
    expect([...gap]).toEqual([3]);
    expect(density[0]).toBeCloseTo(3 / 16, 12);
    // As if the whole had been looked at.
    const all = contextOf(Float64Array.from([...weights, 0, 1]), HALF);
    const rest = contextOf(Float64Array.of(0, 1), HALF, next);
    expect([...all.gap].slice(4)).toEqual([...rest.gap]);
    [0, 1].forEach((at) => {
      expect(rest.density[at]).toBeCloseTo(all.density[4 + at], 12);
    });
  });
});

describe('how sure a row is', () => {
  const hard = { ease: 0.5, epsilon: 2 };
  const row = { gap: 0, density: 0.5, afterEnd: false, fed: false };
  const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));
  const sure = (latent: Partial<typeof hard>, change: Partial<typeof row> = {}, floor = 0) =>
    confidenceOf(parameters, { ...hard, ...latent }, { ...row, ...change }, floor);

  it('is a sum of what it sees, steeper above the knee, from the floor on', () => {
    // 1/4 and 1/4 * 2; the share of easy tokens begins below it.
    expect(sure({})).toBeCloseTo(sigmoid(0.75), 12);
    expect(sure({}, {}, 0.2)).toBeCloseTo(0.2 + 0.8 * sigmoid(0.75), 12);
    expect(sure({ epsilon: -2 })).toBeCloseTo(sigmoid(-0.25), 12);
    expect(sure({}, { gap: 3 })).toBeCloseTo(sigmoid(0.75 - 0.5 * Math.log(4)), 12);
    expect(sure({}, { density: 0.25 })).toBeCloseTo(sigmoid(0.25), 12);
    expect(sure({}, { fed: true })).toBeCloseTo(sigmoid(-0.25), 12);
    expect(sure({ ease: 0.49 }, { density: 0 })).toBeCloseTo(sigmoid(1 + 4 * 1.75), 12);
    expect(sure({}, { afterEnd: true, gap: 3 })).toBeCloseTo(
      sigmoid(1 + 4 * (8.75 - 0.5 * Math.log(4) - 1)),
      12,
    );
  });
});

describe('what is fixed about a position', () => {
  const uniform = (...counters: number[]): number => (hashNumbers(...counters) + 0.5) / 2 ** 32;

  it('is drawn from streams of its own', () => {
    const { ease, epsilon, settledAt, truth, other } = latentAt(7, 3, 10);
    expect(ease).toBe(uniform(7, 3, 1));
    expect(settledAt).toBe(uniform(7, 3, 4));
    const radius = Math.sqrt(-2 * Math.log(uniform(7, 3, 2, 0)));
    expect(epsilon).toBeCloseTo(radius * Math.cos(2 * Math.PI * uniform(7, 3, 2, 1)), 12);
    expect(truth).toBe(hashNumbers(7, 3, 5) % 10);
    expect(other).toBe((truth + 1 + (hashNumbers(7, 3, 6) % 9)) % 10);
  });

  it('is another token where it is not the right one, of all there are', () => {
    const drawn = Array.from({ length: 400 }, (_, at) => latentAt(1, at, 4));
    expect(drawn.every(({ truth, other }) => truth !== other)).toBe(true);
    for (const key of ['truth', 'other'] as const)
      expect(new Set(drawn.map((each) => each[key]))).toEqual(new Set([0, 1, 2, 3]));
  });

  it('does not move with the length of the prompt', () => {
    expect(streamAt(12, 5)).toBe(87);
    expect(streamAt(9, 2)).toBe(87);
  });
});

describe('the process as an engine', () => {
  const MASK = SYNTHETIC_CONFIG.maskId ?? -1;
  const [END] = SYNTHETIC_CONFIG.endIds;
  /** Two tokens of prompt, four of text, then the end. */
  const one = { seed: 5, promptLength: 2, textLength: 4 };
  const latent = (position: number) => latentAt(one.seed, streamAt(position, one.promptLength), TOKENS);
  const truth = (position: number): number => (position < 6 ? latent(position).truth : END);
  const pass = (rows: PassRow[], visibility: Visibility, changes: Partial<Pass> = {}): Pass => ({
    ...{ id: '1.0', kind: 'denoise', lane: 'main', version: 1, reads: [], rows, visibility },
    logits: rows.map((_, row) => row),
    ...changes,
  });
  /** Confidence and best token of every row that was asked for. */
  async function scores(engine: SyntheticEngine, of: Pass) {
    const { logits } = await engine.run(of);
    const vocab = SYNTHETIC_CONFIG.vocab;
    return Array.from({ length: logits.length / vocab }, (_, row) => {
      const shares = [...logits.subarray(row * vocab, (row + 1) * vocab)].map(Math.exp);
      const order = [...shares.keys()].sort((a, b) => shares[b] - shares[a]);
      return { best: order[0], second: order[1], shares, confidence: shares[order[0]] };
    });
  }
  /** How sure a row is that sees these weights by position, worked out apart from the engine. */
  function expected(position: number, seen: Readonly<Record<number, number>>, fed = false): number {
    const length = Math.max(...Object.keys(seen).map(Number)) + 1;
    const { gap, density } = contextOf(
      Float64Array.from({ length }, (_, at) => seen[at] ?? 0),
      parameters.densityScale,
    );
    const row = {
      ...{ gap: gap[position] ?? 0, density: density[position] ?? 0 },
      ...{ afterEnd: position >= 6, fed },
    };
    return confidenceOf(parameters, latent(position), row, FLOOR);
  }
  /** Two of the prompt, a right token, a wrong one, a mask, a mask at the end. */
  const rows: PassRow[] = [
    { position: 0, feed: 3 },
    { position: 1, feed: 3 },
    { position: 2, feed: truth(2) },
    { position: 3, feed: (truth(3) + 1) % TOKENS },
    { position: 4, feed: MASK },
    { position: 6, feed: MASK },
  ];
  const weights = { 0: 1, 1: 1, 2: 1, 3: 0.25, 4: 0, 6: 0 };
  const only = (...positions: (keyof typeof weights)[]) =>
    Object.fromEntries(positions.map((at) => [at, weights[at]]));

  it.each([
    ['all', () => weights],
    ['shadow', () => weights],
    ['self', (at: number) => only(at as keyof typeof weights)],
    ['causal', (at: number) => only(...([0, 1, 2, 3, 4, 6] as const).filter((other) => other <= at))],
  ] as const)('%s: rows see what they are shown', async (visibility, seen) => {
    const engine = new SyntheticEngine(parameters, one);
    const found = await scores(engine, pass(rows, visibility));
    rows.forEach(({ position, feed }, at) => {
      const wanted = expected(position, seen(position), feed !== MASK);
      expect(found[at].confidence, `${position}`).toBeCloseTo(wanted, 5);
    });
  });

  it('ordered: rows see those before them in the list', async () => {
    const [zero, one_, , wrong, mask] = rows;
    const found = await scores(
      new SyntheticEngine(parameters, one),
      pass([mask, zero, wrong, one_], 'ordered'),
    );
    const seen = [only(4), only(4, 0), only(4, 0, 3), only(4, 0, 3, 1)];
    [4, 0, 3, 1].forEach((position, at) => {
      expect(found[at].confidence, `${position}`).toBeCloseTo(
        expected(position, seen[at], position !== 4),
        5,
      );
    });
  });

  it('a group sees the groups that it names, and cached entries', async () => {
    const engine = new SyntheticEngine(parameters, one);
    await engine.run(pass(rows.slice(0, 2), 'all', { logits: [] }));
    const groups = [
      { kind: 'denoise', version: 2, rows: 1, sees: [], visibility: 'all' },
      { kind: 'denoise', version: 3, rows: 1, sees: [], visibility: 'all' },
      { kind: 'denoise', version: 4, rows: 1, sees: [1], visibility: 'all' },
    ] as const;
    const found = await scores(
      engine,
      pass([rows[2], rows[3], rows[4]], { groups }, { version: 2, reads: [{ position: 0, version: 1 }] }),
    );
    const seen = [only(0, 2), only(0, 3), only(0, 3, 4)];
    [2, 3, 4].forEach((position, at) => {
      expect(found[at].confidence, `${position}`).toBeCloseTo(
        expected(position, seen[at], position !== 4),
        5,
      );
    });
  });

  it('gives what the best leaves to the runner-up, half of it at most, and the rest to all others alike', async () => {
    const found = await scores(new SyntheticEngine(parameters, one), pass(rows, 'all'));
    for (const { best, second, shares, confidence } of found) {
      const runnerUp = Math.min((1 - confidence) / 2, 0.95 * confidence);
      expect(shares[second]).toBeCloseTo(runnerUp, 6);
      expect(shares[MASK]).toBe(0);
      const rest = shares.filter((_, id) => id !== best && id !== second && id !== MASK);
      for (const share of rest) expect(share).toBeCloseTo((1 - confidence - runnerUp) / rest.length, 6);
    }
    // A row that is hardly sure of anything: its runner-up stays behind it.
    const lost = { ...parameters, bias: -3, endBonus: 0 };
    const [unsure] = await scores(new SyntheticEngine(lost, one), pass([rows[4]], 'self'));
    expect(unsure.shares[unsure.second]).toBeCloseTo(0.95 * unsure.confidence, 6);
    expect(unsure.confidence).toBeGreaterThan(unsure.shares[unsure.second]);
  });

  it('says the right token once it is sure enough, and the end behind the text', async () => {
    for (const bias of [-4, 0, 1, 4]) {
      const of = { ...parameters, bias, endBonus: 1, sharpness: 1 };
      const found = await scores(new SyntheticEngine(of, one), pass(rows, 'all'));
      rows.forEach(({ position }, at) => {
        const { settledAt, truth: right, other } = latent(position);
        const isSettled = found[at].confidence >= settledAt;
        const wanted = position >= 6 ? [END, right] : isSettled ? [right, other] : [other, right];
        expect([found[at].best, found[at].second], `${bias} ${position}`).toEqual(wanted);
      });
    }
  });

  it('keeps an entry for each row until nobody reads it', async () => {
    const engine = new SyntheticEngine(parameters, one);
    await engine.run(pass(rows, 'all', { logits: [] }));
    const weightAt = (position: number) => engine.readKv({ position, version: 1 }).k[0][0];
    expect([0, 2, 3, 4].map(weightAt)).toEqual([1, 1, 0.25, 0]);
    expect(engine.readKv({ position: 3, version: 1 }).v[0][0]).toBe(0.25);
    engine.retain([{ position: 3, version: 1 }]);
    expect(weightAt(3)).toBe(0.25);
    expect(() => weightAt(2)).toThrow(new CheckError('no KV entry 2 version 1'));
    engine.dispose();
    expect(() => weightAt(3)).toThrow(CheckError);
  });

  it('refuses entries and rows that are not there', async () => {
    const engine = new SyntheticEngine(parameters, one);
    const run = (of: Pass) => async () => engine.run(of);
    await expect(run(pass(rows, 'all', { reads: [{ position: 9, version: 8 }] }))).rejects.toThrow(
      'no KV entry 9 version 8',
    );
    await expect(run(pass(rows.slice(0, 1), 'all', { logits: [1] }))).rejects.toThrow(
      new CheckError('pass 1.0 asks for logits of row 1'),
    );
  });

  it('counts only end tokens as right behind the text, and any token of the prompt', async () => {
    const engine = new SyntheticEngine(parameters, one);
    const fed = [
      { position: 1, feed: 60 },
      { position: 5, feed: END },
      { position: 6, feed: END },
      { position: 7, feed: latent(7).truth },
    ];
    await engine.run(pass(fed, 'self', { logits: [] }));
    const of = (position: number) => engine.readKv({ position, version: 1 }).k[0][0];
    expect([1, 5, 6, 7].map(of)).toEqual([1, 0.25, 1, 0.25]);
  });
});
