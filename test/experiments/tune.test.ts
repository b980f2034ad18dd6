import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeFigure } from '../../experiments/figures/formats.js';
import { ResultStore } from '../../experiments/lab/store.js';
import { FULL_SYSTEM } from '../../experiments/studies/ladder/ladder.js';
import { type Judged, judge, type Sample, shortlist } from '../../experiments/studies/tune/judge.js';
import { tuneFigure } from '../../experiments/studies/tune/print.js';
import { tune } from '../../experiments/studies/tune/run.js';
import { candidates, wholeSpace } from '../../experiments/studies/tune/space.js';
import { verdictOf } from '../../experiments/studies/tune/verdict.js';
import { wilson } from '../../src/score/statistics/proportion.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const named = candidates('block-kv', 2, 1);
const samples = (seconds: number, right: (i: number) => boolean, count = 400): Sample[] =>
  Array.from({ length: count }, (_, index) => ({
    exact: right(index),
    seconds,
    joules: seconds,
    forwards: seconds,
  }));

describe('search', () => {
  it('draws the same candidates for a seed, none twice, baseline and full system first', () => {
    const space = wholeSpace();
    expect(new Set(space.map(({ name }) => name)).size).toBe(space.length);
    expect(named.map(({ name }) => name).slice(0, 2)).toEqual(['block-kv', FULL_SYSTEM]);
    expect(candidates('block-kv', 2, 1)).toEqual(named);
    expect(candidates('block-kv', 1e6, 1)).toHaveLength(space.length + 2);
    // The lossless contenders do not hang on the draw.
    expect(named.filter(({ name }) => name.includes('exact speculation'))).toHaveLength(2);
  });

  it('keeps off the front what is too bad or dominated', () => {
    const rows = judge(named.slice(0, 4), [
      samples(50, () => true),
      samples(10, (i) => i % 4 !== 0),
      samples(9, (i) => i > 1),
      samples(12, (i) => i > 1),
    ]);
    expect(rows.map(({ nonInferior }) => nonInferior)).toEqual([true, false, true, true]);
    expect(rows.map(({ onFront }) => onFront)).toEqual([true, false, true, false]);
    // The full system is confirmed whatever the screening said; then the fastest plausible one.
    expect(shortlist(rows, 2, 1)).toEqual([0, 1, 2]);
    // A slower one that lost nothing goes before a faster one that only might be within the margin.
    const few = judge(named.slice(0, 4), [
      ...[50, 20].map((seconds) => samples(seconds, () => true).slice(0, 50)),
      samples(9, (i) => i > 2).slice(0, 50),
      samples(12, () => true).slice(0, 50),
    ]);
    expect(few[2]?.difference.high).toBeGreaterThan(-0.03);
    expect(shortlist(few, 2, 1)).toEqual([0, 1, 3]);
    expect(shortlist(few, 2, 2)).toEqual([0, 1, 3, 2]);
  });

  it('calls non-inferior what the whole interval says, not the point', () => {
    // Of n problems, `lost` are lost and none won: the Wilson interval of what is left, as the baseline never varies.
    const judged = (n: number, lost: number): Judged =>
      judge(named.slice(0, 2), [samples(50, () => true, n), samples(10, (i) => i >= lost, n)])[1];
    // A loss of 1 point: of 400 it may be 2.54, of 100 it may be 5.45.
    expect(judged(400, 4)).toMatchObject({ nonInferior: true });
    expect(judged(400, 4).difference.low).toBeCloseTo(-0.02543, 4);
    expect(judged(100, 1)).toMatchObject({ nonInferior: false });
    expect(judged(100, 1).difference.value).toBe(-0.01);
    // Both sides of the margin of 3 points.
    expect(judged(400, 5).difference.low).toBeCloseTo(-0.02892, 4);
    expect(judged(400, 5).nonInferior).toBe(true);
    expect(judged(400, 6).difference.low).toBeCloseTo(-0.03233, 4);
    expect(judged(400, 6).nonInferior).toBe(false);
  });

  it('has intervals that hold for all candidates together', () => {
    const field = (count: number) =>
      judge(named.slice(0, count), [
        samples(50, () => true),
        ...Array.from({ length: count - 1 }, () => samples(10, (i: number) => i >= 4)),
      ])[1].difference;
    // Normal points of 2.5 % and, for five comparisons, of 0.5 %.
    expect(field(2).low).toBeCloseTo(wilson(396, 400, 1.959964).low - 1, 6);
    expect(field(6).low).toBeCloseTo(wilson(396, 400, 2.575829).low - 1, 6);
    expect(field(6).value).toBe(field(2).value);
  });

  it('lets nobody be beaten by a policy that is not shown to be non-inferior', () => {
    const right = (i: number): boolean => i < 200;
    const rows = judge(named.slice(0, 3), [
      samples(50, right),
      // As often right as the baseline, but on other problems: the interval is wide.
      samples(10, (i) => i >= 100 && i < 300),
      samples(20, right),
    ]);
    expect(rows.map(({ exact }) => exact.share)).toEqual([0.5, 0.5, 0.5]);
    expect(rows.map(({ nonInferior }) => nonInferior)).toEqual([true, false, true]);
    expect(rows.map(({ onFront }) => onFront)).toEqual([false, false, true]);
  });

  it('names as winner only who is faster, as often right and non-inferior; of those the fastest', () => {
    const [first] = judge(named.slice(0, 1), [samples(50, () => true)]);
    const row = (policy: string, seconds: number, share: number, nonInferior = true): Judged => ({
      ...first,
      ...{ policy, seconds, nonInferior, exact: { share, low: share - 0.01, high: share + 0.01 } },
    });
    const full = row(FULL_SYSTEM, 10, 0.9);
    const base = row('block-kv', 50, 0.95);
    const said = (...rows: Judged[]) =>
      verdictOf([base, full, ...rows], { confirm: 1600, baseline: 'block-kv' });
    const none = /No confirmed policy is faster, at least as often right and non-inferior\.$/;
    expect(said()).toMatch(none);
    expect(said(row('quick but not shown', 5, 0.95, false))).toMatch(none);
    expect(said(row('slower', 11, 0.95))).toMatch(none);
    expect(said(row('as fast', 10, 0.95))).toMatch(none);
    expect(said(row('worse', 5, 0.89))).toMatch(none);
    expect(
      said(row('good', 6, 0.9), row('quick but not shown', 5, 0.95, false), row('slow', 8, 0.93)),
    ).toMatch(/Beaten by good: 6\.00 s, 90\.0 % exact, .* non-inferior\.$/);
    expect(verdictOf([base, full, row('good', 6, 0.9)], { confirm: 1599, baseline: 'block-kv' })).toMatch(
      /too few problems for the claim/,
    );
    const unsure = verdictOf([base, { ...full, nonInferior: false }], { confirm: 1, baseline: 'block-kv' });
    expect(unsure).toContain(
      '10.00 s, answers 90.0 % exactly and is not shown to be non-inferior to block-kv',
    );
    expect(said()).toContain('exactly and is non-inferior to block-kv');
    expect(verdictOf([base], { confirm: 1, baseline: 'block-kv' })).toContain('not among the confirmed');
  });

  it('goes on where a killed run stopped', async () => {
    const store = new ResultStore(temporaryDirectory());
    const options = {
      ...({ workload: 'tiny-llada', engine: 'tfjs', profile: 'sm8750', genLength: 32, seed: 1 } as const),
      ...{ baseline: 'threshold', candidates: 1, screen: 1, confirm: 1, finalists: 1 },
    };
    const first = await tune(options, { store, jobs: 0 });
    const hashes = store.hashes();
    expect(hashes).toHaveLength(9);
    for (const hash of hashes.slice(0, 3)) rmSync(join(store.directory, hash.slice(0, 2), `${hash}.json`));
    let made = 0;
    const onProgress = (_: string, done: number): void => {
      if (done > 0) made += 1;
    };
    expect(await tune(options, { store, jobs: 0, onProgress })).toEqual(first);
    expect(made).toBe(3);
    expect(store.hashes()).toEqual(hashes);
    await writeFigure(join(store.results, 'figure'), tuneFigure(first));
    expect(readFileSync(join(store.results, 'figure.svg'), 'utf8')).toContain('seconds per answer');
    expect(first.notes.join(' ')).toContain('1 problems: a claim');
    await expect(tune({ ...options, workload: 'synthetic' }, { store, jobs: 0 })).rejects.toThrow(
      /no answers/,
    );
  });
});
