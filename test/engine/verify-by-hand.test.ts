import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { composePolicy } from '../../src/decode/method/compose.js';
import { policySpecByName } from '../../src/decode/policies.js';
import { uniformAt } from '../../src/decode/rules/random.js';
import type { Scoring } from '../../src/decode/rules/sample-row.js';
import { parsePolicySpec } from '../../src/decode/spec.js';
import { useBackend } from '../../src/engine/tfjs/backend.js';
import { type LoadedWeights, loadWeightTensors } from '../../src/engine/tfjs/weight-tensors.js';
import { partsOf } from '../../src/engine/verify/parts.js';
import { type RecordedStep, type VerifyOptions, verifySteps } from '../../src/engine/verify/verify.js';
import { CheckError } from '../../src/errors.js';
import type { Pass, PassRow, RowOutcome } from '../../src/pass/pass.js';
import { type PlainKey, PlainModel, type PlainRow } from '../oracle/plain-model.js';
import { randomWeights, tinyConfig } from '../support/tiny-model.js';

/** As small as a model can be; what it says is worked out by loops over numbers, and recorded by hand. */
const config = tinyConfig({
  ...{ hidden: 8, heads: 2, kvHeads: 2, headDim: 4, ffn: 8, vocab: 12, layers: 1, draftAdapter: { rank: 2 } },
});
const MASK = 5;
let model: PlainModel;
let weights: LoadedWeights;
let scoring: Scoring;

beforeAll(async () => {
  await useBackend('cpu');
  const source = randomWeights(config, 3);
  model = await PlainModel.of(config, source);
  weights = await loadWeightTensors(config, source);
  scoring = composePolicy(policySpecByName('llada')).scoring;
});
afterAll(() => weights.dispose());

const verify = (steps: readonly RecordedStep[], options: Partial<VerifyOptions> = {}) =>
  verifySteps(steps, { config, weights, scoring, maskId: MASK, ...options });
/** Logits of rows that see each other. */
const logitsOf = (rows: readonly PassRow[], adapter = false, cached: readonly PlainKey[] = []) =>
  model.run(
    rows.map((row): PlainRow => ({ ...row, cached })),
    () => true,
    adapter,
  ).logits;
const softmax = (logits: readonly number[]): number[] => {
  const powers = logits.map(Math.exp);
  return powers.map((power) => power / powers.reduce((a, b) => a + b));
};
/** Tokens but for the mask, the most likely first. */
const ranked = (logits: readonly number[], not: readonly number[] = []): number[] =>
  [...logits.keys()].filter((id) => id !== MASK && !not.includes(id)).sort((a, b) => logits[b] - logits[a]);
function said(position: number, logits: readonly number[]): RowOutcome {
  const [token] = ranked(logits);
  return { position, token, confidence: softmax(logits)[token] };
}
const pass = (rows: PassRow[], changes: Partial<Pass> = {}): Pass => ({
  ...{ id: '0.0', kind: 'denoise', lane: 'main', version: 1, reads: [], rows, visibility: 'all' },
  logits: rows.map((_, row) => row),
  ...changes,
});
const step = (one: Pass, rows: readonly RowOutcome[], at = 0): RecordedStep => ({
  plan: { step: at, block: 0, passes: [one] },
  outcomes: [{ passId: one.id, rows }],
});
const ROWS: PassRow[] = [
  { position: 0, feed: 3 },
  { position: 1, feed: MASK },
  { position: 2, feed: 8 },
];
/** What a sound record says of those rows, some of them changed. */
const sound = (rows: readonly PassRow[] = ROWS): RowOutcome[] =>
  logitsOf(rows).map((logits, at) => said(rows[at].position, logits));
const changed = (at: number, change: Partial<RowOutcome>): RowOutcome[] =>
  sound().map((row, index) => (index === at ? { ...row, ...change } : row));

describe('a record that was made by hand', () => {
  it('is sound where every row says what its context gives', () => {
    const report = verify([step(pass(ROWS), sound())]);
    expect(report).toMatchObject({ rows: 3, mismatches: [], maxNatsError: null });
    expect(report.maxConfidenceError).toBeLessThan(1e-6);
  });

  it('names step, pass, position, both tokens and how far apart they are', () => {
    const logits = logitsOf(ROWS);
    const [best, second] = ranked(logits[2]);
    const { mismatches, rows, maxConfidenceError } = verify([
      step(pass(ROWS, { id: '6.0' }), changed(2, { token: second, confidence: 0 }), 6),
    ]);
    expect(rows).toBe(3);
    // Tokens that differ are no matter of confidence.
    expect(maxConfidenceError).toBeLessThan(1e-6);
    expect(mismatches).toEqual([
      {
        ...{ step: 6, passId: '6.0', position: 2, recorded: second, recomputed: best },
        logitMargin: expect.closeTo(logits[2][best] - logits[2][second], 5),
      },
    ]);
  });

  it('has the largest error of all rows, wherever it is', () => {
    const off = (by: readonly number[]) =>
      verify([
        step(
          pass(ROWS),
          sound().map((row, at) => ({ ...row, confidence: row.confidence + by[at] })),
        ),
      ]).maxConfidenceError;
    expect(off([0, 0.25, -0.125])).toBeCloseTo(0.25, 5);
    expect(off([0.125, 0, -0.25])).toBeCloseTo(0.25, 5);
    expect(off([-0.5, 0.25, 0.125])).toBeCloseTo(0.5, 5);
  });

  it.each([
    ['a row less', (rows: RowOutcome[]) => rows.slice(0, 2), 2],
    ['a row more', (rows: RowOutcome[]) => [...rows, rows[2]], 4],
    ['another first row', ([row, ...rows]: RowOutcome[]) => [{ ...row, position: 9 }, ...rows], 3],
    ['another last row', ([a, b, row]: RowOutcome[]) => [a, b, { ...row, position: 9 }], 3],
  ])('is refused with %s', (_, change, recorded) => {
    const message = `pass 0.0 has logits for 3 rows, and ${recorded} were recorded, or others: the record is not whole`;
    expect(() => verify([step(pass(ROWS), change(sound()))])).toThrow(new CheckError(message));
  });

  it('is refused without an outcome, unless nothing was asked', () => {
    const { plan } = step(pass(ROWS), []);
    expect(() => verify([{ plan, outcomes: [] }])).toThrow(/and 0 were recorded/);
    const silent = pass(ROWS, { logits: [] });
    expect(verify([{ plan: { ...plan, passes: [silent] }, outcomes: [] }])).toMatchObject({ rows: 0 });
    expect(partsOf(silent, undefined)).toMatchObject([{ scored: [] }]);
  });

  it('has the outcome of each pass of a step, in whatever order', () => {
    const beside = [{ position: 7, feed: 9 }];
    const refresh = pass(beside, { id: '0.1', version: 2, kind: 'refresh', lane: 'side' });
    const outcomes = [
      { passId: '0.1', rows: [said(7, logitsOf(beside)[0])] },
      { passId: '0.0', rows: sound() },
    ];
    const plan = { step: 0, block: 0, passes: [pass(ROWS), refresh] };
    expect(verify([{ plan, outcomes }])).toMatchObject({ rows: 4, mismatches: [] });
  });

  it('may have rows without logits among those with them', () => {
    const [, , last] = sound();
    expect(verify([step(pass(ROWS, { logits: [2] }), [last])])).toMatchObject({ rows: 1, mismatches: [] });
  });

  it('says of a group which it is', () => {
    const groups = [
      { kind: 'denoise', version: 1, rows: 2, sees: [], visibility: 'all' },
      { kind: 'denoise', version: 2, rows: 1, sees: [], visibility: 'all' },
    ] as const;
    const alone = [logitsOf(ROWS.slice(0, 2)), logitsOf(ROWS.slice(2))].flat();
    const rows = alone.map((logits, at) => said(at, logits));
    const grouped = pass(ROWS, { visibility: { groups } });
    expect(verify([step(grouped, rows)])).toMatchObject({ rows: 3, mismatches: [] });
    const wrong = rows.map((row) => ({ ...row, token: (row.token + 1) % config.vocab }));
    expect(verify([step(grouped, wrong)]).mismatches.map(({ passId }) => passId)).toEqual([
      ...['0.0', '0.0', '0.0/1'],
    ]);
    expect(partsOf(grouped, { passId: '0.0', rows }).map(({ id }) => id)).toEqual(['0.0', '0.0/1']);
  });

  it('that skips steps is recomputed at every n-th, which is no drift', () => {
    const two = pass(ROWS, { id: '1.0', version: 2 });
    const three = pass(ROWS, { id: '2.0', version: 3 });
    const wrong = sound().map((row) => ({ ...row, token: (row.token + 1) % config.vocab }));
    const steps = [step(pass(ROWS), sound()), step(two, wrong, 1), step(three, wrong, 2)];
    expect(verify(steps, { every: 2 }).mismatches.map((each) => each.step)).toEqual([2, 2, 2]);
    expect(verify(steps, { every: 2 }).rows).toBe(6);
    expect(verify(steps, { every: 3 })).toMatchObject({ rows: 3, mismatches: [] });
    expect(verify(steps).rows).toBe(9);
    // How far a row moved is known with every step, and not without.
    const moving = { scoring: { ...scoring, drift: 1 } };
    const still = (rows: RowOutcome[]) => rows.map((row) => ({ ...row, drift: 0.25 }));
    const moved = [step(pass(ROWS), sound()), step(two, still(sound()), 1), step(three, still(sound()), 2)];
    expect(verify(moved, moving).maxNatsError).toBeCloseTo(0.25, 5);
    expect(verify(moved, { ...moving, every: 2 }).maxNatsError).toBeNull();
    // A pass that only fills the cache moves nothing.
    const fill = step(pass([{ position: 0, feed: 9 }], { kind: 'prefill' }), [
      said(0, logitsOf([{ position: 0, feed: 9 }])[0]),
    ]);
    expect(verify([fill, step(two, sound(), 1)], moving).maxNatsError).toBe(0);
  });

  it('has the largest error in nats as well', () => {
    const gapped = (by: readonly number[]) => {
      const rows = logitsOf(ROWS).map((logits, at): RowOutcome => {
        const [first, second] = ranked(logits).map((id) => logits[id]);
        return { ...said(at, logits), gap: first - second + by[at] };
      });
      return verify([step(pass(ROWS), rows)], { scoring: { ...scoring, gap: true } }).maxNatsError;
    };
    expect(gapped([0, 0, 0])).toBeCloseTo(0, 5);
    expect(gapped([0.5, 0.25, 0.125])).toBeCloseTo(0.5, 5);
    expect(gapped([0.125, 0.25, -0.5])).toBeCloseTo(0.5, 5);
  });

  it('compares the probability of a token that a row asks for', () => {
    const asking = ROWS.map((row) => ({ ...row, asks: 7 }));
    const rows = (by: readonly number[]) =>
      logitsOf(ROWS).map((logits, at) => ({ ...said(at, logits), asked: softmax(logits)[7] + by[at] }));
    expect(verify([step(pass(asking), rows([0, 0, 0]))]).maxConfidenceError).toBeLessThan(1e-6);
    for (const by of [
      [0.25, 0, 0.125],
      [0, 0.125, -0.25],
    ])
      expect(verify([step(pass(asking), rows(by))]).maxConfidenceError).toBeCloseTo(0.25, 5);
  });

  it('compares the best token beside those that a row excludes', () => {
    const [first, second, third] = ranked(logitsOf(ROWS)[1]);
    const with_ = (excludes: readonly number[] | undefined, instead: number | undefined) => {
      const rows = ROWS.map((row, at) => (at === 1 && excludes !== undefined ? { ...row, excludes } : row));
      return verify([step(pass(rows), changed(1, instead === undefined ? {} : { instead }))]).mismatches.map(
        ({ recorded, recomputed, logitMargin }) => [recorded, recomputed, logitMargin > 0],
      );
    };
    expect(with_([first], second)).toEqual([]);
    expect(with_([first, second], third)).toEqual([]);
    expect(with_([second], first)).toEqual([]);
    expect(with_([first], third)).toEqual([[third, second, true]]);
    // Without one a rule takes the best, which is right where it is not excluded.
    expect(with_([second], undefined)).toEqual([]);
    expect(with_([first], undefined)[0].slice(0, 2)).toEqual([first, second]);
    // Of a row that excludes nothing it is the best.
    expect(with_(undefined, first)).toEqual([]);
    expect(with_(undefined, second)).toEqual([[second, first, true]]);
    // Where nothing is left there is none.
    const all = Array.from({ length: config.vocab }, (_, id) => id);
    expect(with_(all, undefined)).toEqual([]);
    expect(
      with_(
        all.filter((id) => id !== third),
        third,
      ),
    ).toEqual([]);
    expect(
      with_(
        all.filter((id) => id !== third),
        first,
      )[0].slice(0, 2),
    ).toEqual([first, third]);
  });

  it('draws rows that were drawn, by their counters and places', () => {
    const sampling = parsePolicySpec({
      ...policySpecByName('llada'),
      sampling: { kind: 'gumbel', temperature: 2, seed: 4 },
    });
    const drawn = composePolicy(sampling).scoring;
    const draws = ROWS.map((row, at) => ({ ...row, draw: 20 + at }));
    // Gumbel noise on every token, from counters of its own: seed, draw, position, stream, token.
    const tokens = (counters: (at: number) => number | undefined) =>
      logitsOf(ROWS).map((logits, at) => {
        const draw = counters(at);
        const noisy = logits.map((logit, id) =>
          draw === undefined ? logit : logit - 2 * Math.log(-Math.log(uniformAt(4, draw, at, 1, id))),
        );
        return { ...said(at, logits), token: ranked(noisy)[0] };
      });
    const wrong = (rows: PassRow[], outcomes: RowOutcome[]) =>
      verify([step(pass(rows), outcomes)], { scoring: drawn }).mismatches.length;
    expect(
      wrong(
        ROWS,
        tokens(() => undefined),
      ),
    ).toBe(0);
    const own = tokens((at) => 20 + at);
    expect(own.map(({ token }) => token)).not.toEqual(tokens(() => undefined).map(({ token }) => token));
    expect(wrong(draws, own)).toBe(0);
    expect(wrong(ROWS, own)).toBeGreaterThan(0);
    expect(
      wrong(
        draws,
        tokens(() => undefined),
      ),
    ).toBeGreaterThan(0);
    expect(
      wrong(
        ROWS.map((row) => ({ ...row, draw: 70 })),
        own,
      ),
    ).toBeGreaterThan(0);
  });

  it('applies the adapter for drafts to the rows that were computed with it', () => {
    const drafting = pass(ROWS, { adapter: true });
    const rows = logitsOf(ROWS, true).map((logits, at) => said(at, logits));
    const plain = pass([{ position: 3, feed: 9 }], { id: '1.0', version: 2 });
    const own = [said(3, logitsOf([{ position: 3, feed: 9 }])[0])];
    for (const steps of [[step(drafting, rows)], [step(drafting, rows), step(plain, own, 1)]]) {
      const report = verify(steps);
      expect(report.mismatches).toEqual([]);
      expect(report.maxConfidenceError).toBeLessThan(1e-6);
    }
    expect(verify([step(pass(ROWS), rows)]).maxConfidenceError).toBeGreaterThan(1e-4);
    expect(verify([step(drafting, sound())]).maxConfidenceError).toBeGreaterThan(1e-4);
  });
});

describe('a pass that was guided', () => {
  const SCALE = 1.5;
  const groups = [
    { kind: 'denoise', version: 1, rows: 2, sees: [], visibility: 'all' },
    { kind: 'denoise', version: 2, rows: 2, sees: [], visibility: 'all' },
  ] as const;
  const conditional = ROWS.slice(0, 2);
  const without = conditional.map((row) => ({ ...row, feed: MASK }));
  const guided = pass([...conditional, ...without], { visibility: { groups }, guidance: SCALE });
  /** Unconditional plus (scale + 1) times what the prompt adds. */
  const record = () => {
    const [own, other] = [logitsOf(conditional), logitsOf(without)];
    const steered = own.map((row, at) =>
      row.map((logit, id) => other[at][id] + (SCALE + 1) * (logit - other[at][id])),
    );
    return [...steered, ...other].map((logits, at) => said(at % 2, logits));
  };

  it('is compared with both halves', () => {
    const report = verify([step(guided, record())]);
    expect(report).toMatchObject({ rows: 4, mismatches: [] });
    expect(report.maxConfidenceError).toBeLessThan(1e-5);
    expect(verify([step({ ...guided, guidance: 0.5 }, record())]).maxConfidenceError).toBeGreaterThan(0.01);
    expect(verify([step({ ...guided, guidance: undefined }, record())]).maxConfidenceError).toBeGreaterThan(
      0.01,
    );
    for (const at of [0, 1, 2, 3]) {
      const wrong = record().map((row, index) =>
        index === at ? { ...row, token: (row.token + 1) % config.vocab } : row,
      );
      const { mismatches } = verify([step(guided, wrong)]);
      expect(mismatches.map(({ passId, position }) => [passId, position])).toEqual([
        [at < 2 ? '0.0' : '0.0/1', at % 2],
      ]);
    }
  });

  it('is refused where a half got no logits', () => {
    const half = { ...guided, logits: [0, 1] };
    expect(() => verify([step(half, record().slice(0, 2))])).toThrow(
      new CheckError('the rows that guide 0.0:0 got no logits, so nothing was compared there'),
    );
    // One row of two.
    const three = { ...guided, logits: [0, 1, 2] };
    expect(() => verify([step(three, record().slice(0, 3))])).toThrow(/guide 0\.0:1 got no logits/);
  });
});
