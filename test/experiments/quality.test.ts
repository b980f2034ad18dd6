import { describe, expect, it } from 'vitest';
import { ResultStore } from '../../experiments/lab/store.js';
import { QUALITY_DEFAULTS } from '../../experiments/studies/quality/options.js';
import type { PolicyOutcome } from '../../experiments/studies/quality/outcome.js';
import { runQuality } from '../../experiments/studies/quality/run.js';
import { qualityNotes, qualityRows } from '../../experiments/studies/quality/table.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

describe('quality table', () => {
  const options = {
    ...QUALITY_DEFAULTS,
    n: 4,
    genLength: 10,
    blockLength: null,
    policies: ['block-kv', 'mbsd'],
  };
  const study = { store: new ResultStore(temporaryDirectory()), jobs: 0 };
  const outcome = (exact: boolean, forwards: number, tokens = [1, 2]): PolicyOutcome => ({
    exact,
    forwards,
    tokens,
    tasksRight: exact ? 2 : 1,
    tasks: 2,
    rows: 7,
    generated: options.genLength,
    drafted: 0,
    accepted: 0,
    rowsWasted: 0,
    textTokens: 8,
    timed: null,
  });

  it('counts pairs, tokens per forward over all problems, and texts that are equal', () => {
    const problems = [
      { index: 0, policies: [outcome(true, 10), outcome(true, 2)] },
      { index: 1, policies: [outcome(true, 10), outcome(false, 2, [1, 3])] },
      { index: 2, policies: [outcome(false, 10), outcome(false, 4)] },
      { index: 3, policies: [outcome(true, 10), outcome(false, 2, [0, 2])] },
    ];
    const [base, other] = qualityRows(options, problems);
    expect(base).toMatchObject({ policy: 'block-kv', paired: null, forwards: 10, tokensPerForward: 1 });
    expect(base.exact).toMatchObject({ successes: 3, n: 4 });
    expect(other).toMatchObject({
      forwards: 2.5,
      tokensPerForward: 4,
      textTokensPerForward: 3.2,
      taskAccuracy: 5 / 8,
    });
    expect(other.paired).toMatchObject({
      onlyPolicyRight: 0,
      onlyBaselineRight: 2,
      p: 0.5,
      pHolm: 0.5,
      sameText: 2,
    });
    expect(qualityNotes(options, [base, other]).join(' ')).toMatch(
      /no policy differs significantly.*no proof/,
    );
    const { paired } = other;
    if (paired === null) throw new Error('the policy is paired with its baseline');
    const judged = (pHolm: number) => [base, { ...other, paired: { ...paired, p: 0.03, pHolm } }];
    expect(qualityNotes(options, judged(0.06)).join(' ')).toMatch(/no policy differs significantly/);
    expect(qualityNotes(options, judged(0.04)).join(' ')).toMatch(
      /significantly different from block-kv at 5 %: mbsd/,
    );
  });

  it('ends with the first run that is refused', async () => {
    const store = new ResultStore(temporaryDirectory());
    const asked = { ...options, genLength: 32, model: 'tiny-dual', policies: ['llada'], baseline: 'llada' };
    await expect(runQuality(asked, { store, jobs: 0 })).rejects.toThrow('model tiny-dual sees blocks of 8');
    expect(store.hashes()).toHaveLength(1);
  });

  it('refuses a baseline that is not compared, and names given twice', async () => {
    await expect(runQuality({ ...options, policies: ['mbsd'] }, study)).rejects.toThrow(/baseline block-kv/);
    await expect(runQuality({ ...options, policies: ['block-kv', 'block-kv'] }, study)).rejects.toThrow(
      /twice/,
    );
  });

  it('runs on the shipped model: lossless policies write the text of their baseline', async () => {
    const policies = ['block-kv', 'exact-speculation'];
    const { rows } = await runQuality({ ...options, n: 1, genLength: 32, blockLength: 8, policies }, study);
    expect(rows[1].paired).toMatchObject({ sameText: 1, onlyPolicyRight: 0, onlyBaselineRight: 0 });
    expect(rows[1].forwards).toBeLessThan(rows[0].forwards);
    expect(rows[1].forwards + (rows[1].speculation?.accepted ?? 0)).toBe(rows[0].forwards);
  });

  it('times every decode where a machine is named, without another decision', async () => {
    const asked = { ...options, n: 1, genLength: 32, policies: ['block-kv', 'threshold'] };
    const untimed = await runQuality(asked, study);
    const timed = await runQuality({ ...asked, machine: 'sm8750' }, study);
    expect(untimed.rows.every(({ seconds, joules }) => seconds === null && joules === null)).toBe(true);
    expect(timed.rows.map(({ exact, forwards }) => ({ exact, forwards }))).toEqual(
      untimed.rows.map(({ exact, forwards }) => ({ exact, forwards })),
    );
    const [base, threshold] = timed.rows;
    expect(threshold.seconds?.median).toBeLessThan(base.seconds?.low ?? 0);
    expect(threshold.joules?.median).toBeLessThan(base.joules?.low ?? 0);
    expect(timed.command).toContain('--machine sm8750');
    expect(timed.notes.join(' ')).toMatch(/simulated.*sm8750/);
  });
});
