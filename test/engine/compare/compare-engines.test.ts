import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { composePolicy } from '../../../src/decode/method/compose.js';
import { decode } from '../../../src/decode/method/session.js';
import { policySpecByName } from '../../../src/decode/policies.js';
import { AgreementCounter, compareRow, type RowDifference } from '../../../src/engine/compare/agreement.js';
import { compareEngines } from '../../../src/engine/compare/compare-engines.js';
import type { Engine } from '../../../src/engine/engine.js';
import { createTfjsEngine } from '../../../src/engine/tfjs/engine.js';
import { randomWeights, tinyConfig } from '../../support/tiny-model.js';

describe('comparing rows', () => {
  it('gives the best token, the margin and the divergence of the textbook', () => {
    const reference = Float32Array.of(9, 0, Math.log(3), 0);
    const actual = Float32Array.of(9, Math.log(2), 0, 0);
    // Token 0 stands for the mask: never best, but part of the distribution.
    const row = compareRow(reference, actual, 0, 4, 0);
    expect(row.sameBest).toBe(false);
    expect(row.margin).toBeCloseTo(Math.log(3), 6);
    const softmax = (logits: Float32Array) => {
      const powers = Array.from(logits, Math.exp);
      const total = powers.reduce((a, b) => a + b);
      return powers.map((power) => power / total);
    };
    const [p, q] = [softmax(reference), softmax(actual)];
    const kl = p.reduce((sum, share, id) => sum + share * Math.log(share / q[id]!), 0);
    expect(row.kl).toBeCloseTo(kl, 10);
  });

  it('sees no difference in equal logits or in a common shift, and takes the first of equals', () => {
    const logits = Float32Array.of(1, 2, 2, -4);
    expect(compareRow(logits, logits, 0, 4, null)).toEqual({
      sameBest: true,
      margin: 0,
      kl: 0,
      maxLogitError: 0,
    });
    const shifted = compareRow(
      logits,
      logits.map((x) => x + 8),
      0,
      4,
      null,
    );
    expect(shifted.sameBest).toBe(true);
    expect(shifted.maxLogitError).toBe(0);
    expect(shifted.kl).toBeLessThan(1e-12);
  });

  it('counts by state and over all', () => {
    const counter = new AgreementCounter(0.1);
    const row = (sameBest: boolean, margin: number): RowDifference => ({
      sameBest,
      margin,
      kl: margin,
      maxLogitError: 1,
    });
    counter.add('visible', row(true, 4));
    counter.add('visible', row(false, 0.05));
    counter.add('stable', row(false, 2));
    const [visible, stable, all] = counter.result();
    expect(visible).toMatchObject({ state: 'visible', rows: 2, sameBest: 1, nearTies: 1 });
    expect(visible).toMatchObject({ differentBeyondNearTies: 0, largestMarginTurned: 0.05, klMax: 4 });
    expect(stable).toMatchObject({ state: 'stable', differentBeyondNearTies: 1 });
    expect(all).toMatchObject({ state: 'all', rows: 3, sameBest: 1, nearTies: 1, largestMarginTurned: 2 });
  });
});

describe('comparing engines', () => {
  const config = tinyConfig();
  let reference: Engine;
  let same: Engine;
  beforeAll(async () => {
    reference = await createTfjsEngine(config, randomWeights(config, 3));
    same = await createTfjsEngine(config, randomWeights(config, 3));
  });
  afterAll(() => {
    reference.dispose();
    same.dispose();
  });
  const problems = [{ index: 4, promptIds: [0, 10, 11, 12, 4] }];
  const policy = composePolicy({ ...policySpecByName('llada.cpp'), blockLength: 8 });
  const compare = (engine: Engine) =>
    compareEngines({ reference, engine, policy, problems, genLength: 32, nearTie: 0.1 });

  const changed = (change: (logit: number, id: number) => number): Engine => ({
    name: 'changed',
    config,
    dispose: () => {},
    retain: (live) => same.retain(live),
    readKv: (ref) => same.readKv(ref),
    run: async (pass) => ({
      logits: (await same.run(pass)).logits.map((logit, at) => change(logit, at % config.vocab)),
    }),
  });

  it('finds nothing between two equal ones, in every row of every scored pass, skipped ones included', async () => {
    const report = await compare(same);
    expect(report.tokens).toEqual({ compared: 32, different: 0 });
    const all = report.agreement.at(-1)!;
    expect(all).toMatchObject({ state: 'all', sameBest: all.rows, klMax: 0, maxLogitError: 0 });
    expect(report.agreement.map(({ state }) => state)).toContain('visible');
    const plain = await decode({ policy, engine: reference, promptIds: [0, 10, 11, 12, 4], genLength: 32 });
    expect(report.answers[0]!.reference).toEqual(plain.tokens);
    const scored = plain.steps.flatMap(({ plan }) => plan.passes).filter((pass) => pass.logits.length > 0);
    expect(all.rows).toBe(scored.reduce((sum, pass) => sum + pass.rows.length, 0));
    expect(report.states.map(({ pass, passRows, reads }) => ({ pass, rows: passRows, reads }))).toEqual(
      scored.map(({ kind, rows, reads }) => ({ pass: kind, rows: rows.length, reads: reads.length })),
    );
    const steps = plain.steps.flatMap(({ plan }) =>
      plan.passes.filter((pass) => pass.logits.length > 0).map(() => plan.step),
    );
    expect(report.states.map(({ step }) => step)).toEqual(steps);
    expect(report.answers[0]!.parting).toBeNull();
  });

  it('calls rows of the prompt so, whatever their state, and counts them apart', async () => {
    const whole = composePolicy({ ...policySpecByName('llada'), blockLength: 8 });
    const asked = { reference, engine: same, policy: whole, problems, genLength: 8, nearTie: 0.1 };
    const { agreement, states } = await compareEngines(asked);
    const rows = new Map(agreement.map((each) => [each.state, each.rows]));
    // Eight steps over five tokens of prompt; one token more is fixed at each.
    expect(states).toHaveLength(8);
    expect([rows.get('prompt'), rows.get('stable'), rows.get('invisible'), rows.get('all')]).toEqual([
      ...[40, 28, 36, 104],
    ]);
  });

  it('compares of a model that shifts what each row says of the next position, and nothing behind the end', async () => {
    const shifting = tinyConfig({ shiftLogits: true });
    const [one, two] = [3, 3].map((seed) => createTfjsEngine(shifting, randomWeights(shifting, seed)));
    const whole = composePolicy({ ...policySpecByName('llada'), blockLength: 8 });
    const of = { reference: await one, engine: await two, policy: whole, problems, genLength: 8 };
    const { agreement } = await compareEngines({ ...of, nearTie: 0.1 });
    const rows = new Map(agreement.map((each) => [each.state, each.rows]));
    // Of 13 rows a step the last says nothing; four speak of the prompt.
    expect([rows.get('prompt'), rows.get('stable'), rows.get('invisible'), rows.get('all')]).toEqual([
      ...[32, 28, 36, 96],
    ]);
    of.reference.dispose();
    of.engine.dispose();
  });

  it('refuses models whose tokens are not the same, before anything runs', async () => {
    const other: Engine = { ...changed((logit) => logit), config: { ...config, vocab: config.vocab + 1 } };
    await expect(compare(other)).rejects.toThrow(
      `${reference.name} and changed run models with different vocabularies`,
    );
  });

  it('counts every problem, and says how far it is', async () => {
    const seen: string[] = [];
    const report = await compareEngines({
      reference,
      engine: changed((logits, id) => logits + (id === 30 ? 50 : 0)),
      policy,
      problems: [...problems, { index: 9, promptIds: [0, 14] }],
      genLength: 8,
      nearTie: 0.1,
      onProgress: (done, total) => seen.push(`${done}/${total}`),
    });
    expect(seen).toEqual(['0/2', '1/2', '2/2']);
    expect(report.answers.map(({ problem }) => problem)).toEqual([4, 9]);
    expect(report.tokens.compared).toBe(16);
    const different = report.answers.map(
      ({ reference: mine, engine }) => engine.filter((token, at) => token !== mine[at]).length,
    );
    expect(report.answers.map(({ differentTokens }) => differentTokens)).toEqual(different);
    expect(report.tokens.different).toBe(different[0] + different[1]);
    expect(new Set(report.states.map(({ problem }) => problem))).toEqual(new Set([4, 9]));
  });

  it('finds a token that is favoured, with its first divergence', async () => {
    const report = await compare(changed((logits, id) => logits + (id === 30 ? 50 : 0)));
    const all = report.agreement.at(-1)!;
    expect(all.sameBest).toBeLessThan(all.rows);
    expect(all.klMean).toBeGreaterThan(1);
    const { first, parting } = report.answers[0]!;
    expect(first).toMatchObject({ token: 30 });
    expect(parting).toMatchObject({ kind: 'token', token: 30, step: first!.step });
    expect(parting!.referenceMargin).toBeGreaterThan(0);
    expect(report.tokens.different).toBe(report.answers[0]!.differentTokens);
  });

  it('tells a changed order of decisions from a changed token', async () => {
    // Sharper logits: the same best tokens, but confidences that pass the threshold earlier.
    const report = await compare(changed((logits) => 30 * logits));
    expect(report.agreement.at(-1)!.sameBest).toBe(report.agreement.at(-1)!.rows);
    const { parting } = report.answers[0]!;
    expect(parting).toMatchObject({ kind: 'order', step: 1 });
    expect(parting!.token).toBe(parting!.expected);
    expect(parting!.confidenceDifference).toBeGreaterThan(0);
  });
});
