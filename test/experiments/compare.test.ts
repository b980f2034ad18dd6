import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { atMost, between, over, under, within } from '../../experiments/comparison/bands.js';
import { valueAt, written } from '../../experiments/comparison/columns.js';
import { type Comparison, compareRow, series } from '../../experiments/comparison/compare.js';
import { resultsMarkdown } from '../../experiments/comparison/markdown.js';
import { printResult } from '../../experiments/comparison/print.js';
import { REPRODUCE_SCHEMA, type ReproduceResult, rowsCsv } from '../../experiments/comparison/result.js';
import { line, spearman } from '../../experiments/comparison/statistics.js';
import { paperNumbers, paperSchema } from '../../experiments/paper/numbers.js';
import { CheckError } from '../../src/errors.js';
import { parseAs } from '../../src/util/read-file.js';

const predicted = {
  unit: 'ms',
  kind: 'predicted',
  band: { claim: 'T0', text: 'within 10 %', holds: within(0.1) },
  whenMissed: 'the second one is slow',
} as const;

const steps = (ours: readonly number[]) =>
  series([1, 2, 4], (n) => `step of ${n}`, { ...predicted, ours, paper: [10, 10, null] });

const result = (rows: readonly Comparison[]): ReproduceResult => ({
  schema: REPRODUCE_SCHEMA,
  name: 'x',
  title: 'X',
  command: 'dllm-npu reproduce x',
  version: '0',
  paper: { source: 'arXiv:0', where: 'Figure 1', digitised: true },
  runs: 'nothing',
  decisions: 'nobody',
  costs: { model: 'm', quant: 'q4_0', profile: 'p', profileSha256: '' },
  rows: rows.map((row) => compareRow(row, 'other')),
  measured: {},
  derived: {},
  formulas: {},
  published: {},
  assumed: [{ name: 'driver.mapFixed', kind: 'assumed', value: '160 us', source: 'none' }],
  notes: ['Mind the gap.'],
});

describe('comparison with the paper', () => {
  it('makes a row of every point that the paper shows', () => {
    const rows = steps([10, 11, 15]).map((row) => compareRow(row, 'other'));
    expect(rows.map(({ name, ours, paper, pass }) => ({ name, ours, paper, pass }))).toEqual([
      { name: 'step of 1', ours: 10, paper: 10, pass: true },
      { name: 'step of 2', ours: 11, paper: 10, pass: true },
    ]);
    expect(rows[1]?.error).toBeCloseTo(0.1, 12);
  });

  it('marks a row outside its band, with the reason', () => {
    const exact = { claim: 'T0', text: 'exact', holds: within(0) };
    const rows = steps([10, 11, 15]).map((row) => compareRow({ ...row, band: exact }, 'other'));
    expect(rows.map(({ pass, reason }) => [pass, reason])).toEqual([
      [true, null],
      [false, 'the second one is slow'],
    ]);
  });

  it('gives an ordering no error, and a missing value no pass', () => {
    const row = { ...predicted, name: 'x', paper: 7 };
    const ordering = compareRow({ ...row, ours: 5, kind: 'ordering', band: undefined }, 'other');
    expect(ordering).toMatchObject({ ours: 5, paper: 7, error: null, pass: null });
    for (const ours of [Number.NaN, null])
      expect(compareRow({ ...row, ours }, 'other')).toMatchObject({ ours: null, error: null, pass: false });
  });

  it('says by who decided what a row is and why it missed', () => {
    const row: Comparison = {
      ...predicted,
      name: 'x',
      ours: 9,
      paper: 5,
      kind: { synthetic: 'predicted', other: 'ordering' },
      whenMissed: { synthetic: 'the process', other: 'the model' },
    };
    expect(compareRow(row, 'synthetic')).toMatchObject({
      kind: 'predicted',
      error: 0.8,
      reason: 'the process',
    });
    expect(compareRow(row, 'other')).toMatchObject({ kind: 'ordering', error: null, reason: 'the model' });
  });

  it('refuses columns of different lengths and an index past the end of one', () => {
    expect(() => steps([1, 2])).toThrow(/step of 1: 2 values against 3/);
    const past = [1, 2][2];
    expect(() => compareRow({ ...predicted, name: 'x', ours: past, paper: null }, 'other')).toThrow(
      CheckError,
    );
    expect(() => valueAt(['a', 'b'], [1, 2], 'c')).toThrow(/no value at c: there are a, b/);
  });

  it('keeps bands at their bounds, a rounding aside', () => {
    const row = (ours: number) => ({ ours, paper: 1, error: ours - 1 });
    expect([between(1, 2)(row(1)), between(1, 2)(row(2)), between(1, 2)(row(2.01))]).toEqual([
      true,
      true,
      false,
    ]);
    expect([over(1)(row(1)), under(1)(row(1)), atMost(1)(row(1))]).toEqual([false, false, true]);
    expect(between(0.93, 1)(row(1 + 2 ** -52))).toBe(true);
    expect(atMost(0)(row(Number.NaN))).toBe(false);
  });

  it('writes single values as lists of one, and nothing that JSON does not know', () => {
    expect(written({ best: 4, gain: [1, Number.NaN, null], row: ['a'], none: null })).toEqual({
      best: [4],
      gain: [1, null, null],
      row: ['a'],
      none: [null],
    });
  });

  it('shows every number, kind, reason and assumed parameter without colour', () => {
    const text = printResult(result(steps([20, 22, 15])), false);
    for (const part of ['+100 %', '+120 %', 'NO', 'predicted', 'T0: within 10 %', 'read off the plot']) {
      expect(text).toContain(part);
    }
    expect(text).toContain('Missed (step of 1; step of 2): the second one is slow.');
    expect(text).toContain('Not measured: 1 assumed: driver.mapFixed 160 us.');
    expect(text).toContain('Mind the gap.');
  });

  it('does not say that the paper lacks a table whose numbers are only not here', () => {
    const of = (name: string): string =>
      printResult({ ...result(steps([10, 11, 15])), paper: null, name }, false).replace(/\s+/g, ' ');
    expect(of('table7')).toContain('Paper: its numbers of this table or figure are not in this project');
    expect(of('forwards')).toContain('Paper: has no such table or figure');
  });
});

describe('statistics of columns', () => {
  const column = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 3, maxLength: 20 });

  it('fits the line that points lie on, leaving out pairs with a missing end', () => {
    fc.assert(
      fc.property(column, fc.integer({ min: 1, max: 9 }), fc.integer(), (x, slope, start) => {
        fc.pre(new Set(x).size > 1);
        const y = x.map((value) => start + slope * value);
        const found = line([...x, 5, null], [...y, null, 5]);
        expect(found.slope).toBeCloseTo(slope, 6);
        expect(found.r).toBeCloseTo(1, 6);
      }),
    );
  });

  it('ranks: any rising function correlates fully, ties share their rank', () => {
    fc.assert(
      fc.property(column, (x) => {
        fc.pre(new Set(x).size > 1);
        expect(
          spearman(
            x,
            x.map((value) => value ** 3),
          ),
        ).toBeCloseTo(1, 9);
        expect(
          spearman(
            x,
            x.map((value) => -value),
          ),
        ).toBeCloseTo(-1, 9);
      }),
    );
    expect(spearman([1, 2, 2, 3], [1, 2, 3, 4])).toBeCloseTo(0.9486832980505138, 12);
    expect(() => spearman([1], [1, 2])).toThrow(/1 values against 2/);
  });
});

describe('published numbers', () => {
  it('are those of the paper', () => {
    expect(paperNumbers().source).toBe('arXiv:2606.13740v1');
    for (const { where } of Object.values(paperNumbers().tables)) expect(where).toMatch(/^(Table|Figure) \d/);
  });

  it('are refused when columns differ in length or the file is none', () => {
    const text = JSON.stringify(paperNumbers());
    const read = (changed: string) => parseAs(JSON.parse(changed), paperSchema, 'file');
    expect(() => read(text.replace('4239.6,', ''))).toThrow(
      /file: tables\.table2\.columns: columns differ in length/,
    );
    expect(() => read(text.replace('"cpu_ms"', '"gpu_ms"'))).toThrow(/file: tables\.table2/);
  });
});

describe('the table for a README', () => {
  it('holds every compared row with its error and verdict, and none that the paper does not have', () => {
    const rows = [
      ...steps([10, 11, 15]),
      { ...predicted, name: 'ours only', ours: 1, paper: null, band: undefined },
    ];
    const text = resultsMarkdown([result(rows)]);
    expect(text).toContain('| step of 1 | ms | 10 |  |  | 10 | +0.0 % | predicted | T0: within 10 %: met |');
    expect(text).not.toContain('ours only');
    expect(text).toContain('| predicted | 2 |');
    expect(text).toContain('Decisions: nobody.');
  });
});

describe('two intervals of a row', () => {
  const ends = {
    cases: { low: [9, 10], high: [11, 12] },
    machine: { low: [5, Number.NaN], high: [20, Number.NaN] },
  };
  const rows = series([1, 2], (n) => `step of ${n}`, {
    unit: 'ms',
    kind: 'predicted',
    ours: [10, 11],
    ...ends,
  });

  it('are written by name, and what is no number is null', () => {
    expect(rows.map((row) => compareRow(row, 'other'))).toMatchObject([
      { low: 9, high: 11, machineLow: 5, machineHigh: 20 },
      { low: 10, high: 12, machineLow: null, machineHigh: null },
    ]);
    expect(rowsCsv(result(rows)).split('\n').slice(0, 2)).toEqual([
      'name,ours,paper,error,kind,unit,claim,band,pass,low,high,machine_low,machine_high',
      'step of 1,10,,,predicted,ms,,,,9,11,5,20',
    ]);
  });

  it('are printed where a row has one, and have no column where none has', () => {
    const text = printResult(result(rows), false);
    expect(text).toMatch(/95 % over\s+80 % over/);
    expect(text).toMatch(/step of 1 +ms +10 +\[9, 11\] +\[5, 20\]/);
    expect(printResult(result(steps([10, 11, 15])), false)).not.toContain('% over');
  });

  it('of another number of rows are refused', () => {
    expect(() => series([1], (n) => `${n}`, { unit: '', kind: 'predicted', ours: [1], ...ends })).toThrow(
      CheckError,
    );
  });
});
