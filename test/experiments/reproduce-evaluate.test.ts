import { describe, expect, it } from 'vitest';
import { evaluateExperiment } from '../../experiments/comparison/evaluate.js';
import type { RowSpec } from '../../experiments/comparison/experiment.js';
import { resultsMarkdown } from '../../experiments/comparison/markdown.js';
import { printResult } from '../../experiments/comparison/print.js';
import { REPRODUCE_SCHEMA } from '../../experiments/comparison/result.js';
import { paperNumbers, paperTable, parsePaperNumbers } from '../../experiments/paper/numbers.js';
import { EXPERIMENTS } from '../../experiments/studies/registry.js';

const predicted: RowSpec = {
  name: 'step of {label}',
  labels: 'n',
  unit: 'ms',
  ours: 'total ./ n',
  paper: 'paper.each',
  kind: 'predicted',
  band: { claim: 'T0', text: 'within 10 %', pass: 'abs(error) <= 0.1' },
  whenMissed: 'the second one is slow',
};

const run = (rows: readonly RowSpec[], derived: Record<string, string> = {}) =>
  evaluateExperiment({ derived, rows }, { n: [1, 2, 4], ms: [10, 22, 60] }, { each: [10, 10, null] });

describe('comparison with the paper', () => {
  it('evaluates vectors row by row, leaving out what the paper does not show', () => {
    const { rows, derived } = run([predicted], { total: '1 * ms' });
    expect(derived).toEqual({ total: [10, 22, 60] });
    expect(rows.map(({ name, ours, paper, pass }) => ({ name, ours, paper, pass }))).toEqual([
      { name: 'step of 1', ours: 10, paper: 10, pass: true },
      { name: 'step of 2', ours: 11, paper: 10, pass: true },
    ]);
    expect(rows[1]?.error).toBeCloseTo(0.1, 12);
  });

  it('marks a row outside its band, with the reason', () => {
    const { rows } = run([{ ...predicted, band: { claim: 'T0', text: 'exact', pass: 'error == 0' } }], {
      total: '1 * ms',
    });
    expect(rows.map(({ pass, reason }) => [pass, reason])).toEqual([
      [true, null],
      [false, 'the second one is slow'],
    ]);
  });

  it('gives an ordering no error, and a missing value no pass', () => {
    const row = (ours: string): RowSpec => ({ ...predicted, labels: '[0]', ours, paper: '[7]' });
    const { rows } = run([{ ...row('[5]'), kind: 'ordering', band: undefined }, row('[0 / 0]')] as RowSpec[]);
    expect(rows[0]).toMatchObject({ ours: 5, paper: 7, error: null, pass: null });
    expect(rows[1]).toMatchObject({ ours: null, error: null, pass: false });
  });

  it('lets later expressions see earlier ones and fits lines', () => {
    const { derived } = run([], {
      doubled: '2 * ms',
      rate: 'slope(n, doubled)',
      rank: 'spearman(n, -doubled)',
      best: 'at_min(ms, n)',
      turns: 'inversions(ms, -1)',
    });
    expect(derived.rate?.[0]).toBeCloseTo(34, 9);
    expect(derived.rank?.[0]).toBeCloseTo(-1, 12);
    expect(derived).toMatchObject({ best: [1], turns: [2] });
  });

  it('names the expression that is wrong', () => {
    expect(() => run([], { total: 'nowhere * 2' })).toThrow(/total: "nowhere \* 2": Undefined symbol/);
    expect(() => run([{ ...predicted, ours: 'ms', paper: '[1, 2]' }])).toThrow(/3 values against 2/);
  });

  it('shows every number, kind, reason and assumed parameter without colour', () => {
    const { rows } = run([{ ...predicted, ours: '2 * ms ./ n' }]);
    const text = printResult(
      {
        schema: REPRODUCE_SCHEMA,
        name: 'x',
        title: 'X',
        command: 'dllm-npu reproduce x',
        version: '0',
        paper: { source: 'arXiv:0', where: 'Figure 1', digitised: true },
        runs: 'nothing',
        decisions: 'none',
        costs: { model: 'm', quant: 'q4_0', profile: 'p', profileSha256: '' },
        rows,
        measured: {},
        expressions: {},
        derived: {},
        published: {},
        assumed: [{ name: 'driver.mapFixed', kind: 'assumed', value: '160 us', source: 'none' }],
        notes: ['Mind the gap.'],
      },
      false,
    );
    for (const part of ['+100 %', '+120 %', 'NO', 'predicted', 'T0: within 10 %', 'read off the plot']) {
      expect(text).toContain(part);
    }
    expect(text).toContain('Missed (step of 1; step of 2): the second one is slow.');
    expect(text).toContain('Not measured: 1 assumed: driver.mapFixed 160 us.');
    expect(text).toContain('Mind the gap.');
  });
});

describe('published numbers', () => {
  it('exist for every experiment that names some', () => {
    for (const { name, paper } of EXPERIMENTS) {
      if (paper !== null) expect(paperTable(paper).where, name).toMatch(/^(Table|Figure) \d/);
    }
    expect(paperNumbers().source).toBe('arXiv:2606.13740v1');
  });

  it('are refused when columns differ in length or the file is none', () => {
    const text = JSON.stringify(paperNumbers());
    expect(() => parsePaperNumbers(text.replace('4239.6,', ''), 'file')).toThrow(
      /file: tables\.table2: columns differ in length/,
    );
    expect(() => parsePaperNumbers('{', 'file')).toThrow(/file is not JSON/);
    expect(() => paperTable('table7')).toThrow(/unknown table or figure "table7": did you mean/);
  });
});

describe('the table for a README', () => {
  it('holds every compared row with its error and verdict, and none that the paper does not have', () => {
    const { rows } = run(
      [
        predicted,
        { name: 'ours only {label}', labels: 'n', unit: 'ms', ours: 'ms', paper: null, kind: 'predicted' },
      ],
      {
        total: '1 * ms',
      },
    );
    const text = resultsMarkdown([
      {
        schema: REPRODUCE_SCHEMA,
        name: 'x',
        title: 'T',
        command: 'c',
        version: '0',
        paper: null,
        runs: 'r',
        decisions: 'nobody',
        costs: { model: 'm', quant: 'q4_0', profile: 'p', profileSha256: '0' },
        rows,
        measured: {},
        expressions: {},
        derived: {},
        published: {},
        assumed: [],
        notes: [],
      },
    ]);
    expect(text).toContain('| step of 1 | ms | 10 | 10 | +0.0 % | predicted | T0: within 10 %: met |');
    expect(text).not.toContain('ours only');
    expect(text).toContain('| predicted | 2 |');
    expect(text).toContain('Decisions: nobody.');
  });
});
