import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { WORKBENCH_DEFAULTS } from '../../experiments/comparison/options.js';
import { Workbench } from '../../experiments/comparison/workbench.js';
import { type Method, predictAnswers } from '../../experiments/studies/cells/predict.js';
import { socNumber } from '../../experiments/studies/cells/soc.js';
import { parseCsv } from '../../src/util/csv.js';

const bench = new Workbench(WORKBENCH_DEFAULTS);
afterAll(() => bench.close());

const cpu: Method = { policy: 'block-kv', costModel: 'llada-8b', stack: 'cpu', memory: ['unlimited'] };
const questions = [
  { genLength: 32, promptTokens: 80, promptRange: [50, 110] },
  { genLength: 64, promptTokens: 80, promptRange: [10, 150] },
  { genLength: 64, promptTokens: 80, promptRange: [80, 80] },
] as const;

it('predicts an answer inside its interval, wider where the prompt is less known, the same every time', async () => {
  const [short, long, known] = await predictAnswers(bench, cpu, 'sm8750', questions);
  for (const { seconds, joules, watts } of [short, long, known])
    for (const { value, low, high } of [seconds, joules, watts]) {
      expect(low).toBeLessThanOrEqual(value);
      expect(high).toBeGreaterThanOrEqual(value);
      expect(high).toBeGreaterThan(low);
    }
  expect(long.seconds.value).toBeGreaterThan(short.seconds.value);
  // Over the whole canvas the prompt is most of the work; behind a cache it would drown in what is not known of the chip.
  const canvas: Method = { ...cpu, policy: 'llada' };
  const [wide, narrow] = await predictAnswers(bench, canvas, 'sm8750', questions.slice(1));
  const width = ({ seconds: { low, high } }: typeof long) => high / low;
  expect(width(wide)).toBeGreaterThan(width(narrow));
  expect(known.joules.value).toBe(long.joules.value);
  expect(await predictAnswers(bench, cpu, 'sm8750', questions.slice(0, 1))).toEqual([short]);
});

it('counts a pass for every token of an autoregressive answer', async () => {
  const method: Method = { ...cpu, policy: 'one-by-one', costModel: 'llama-3-8b' };
  const [one, many] = await predictAnswers(
    bench,
    method,
    'sm8750',
    [1, 33].map((genLength) => ({ genLength, promptTokens: 80, promptRange: [80, 80] as const })),
  );
  const step = (many.seconds.value - one.seconds.value) / 32;
  expect(step).toBeGreaterThan(0);
  // A prompt of 80 rows costs more than a row, and less than 80 of them.
  expect(one.seconds.value).toBeGreaterThan(step);
  expect(one.seconds.value).toBeLessThan(80 * step);
});

describe('tables of cells', () => {
  it('have the same fields, and an interval that holds its value', () => {
    const value = {
      fig1: 'speedup',
      fig11: 'seconds',
      fig12: 'seconds',
      fig14: 'joules',
      table7: 'marginMiB',
    };
    for (const [name, field] of Object.entries(value)) {
      const text = readFileSync(`results/reference/reproduce/${name}/rows.csv`, 'utf8');
      const [header, ...rows] = parseCsv(text);
      expect(header, name).toEqual(
        expect.arrayContaining(['soc', 'dataset', 'tokens', 'config', field, 'low', 'high', 'paper']),
      );
      const at = (row: readonly string[], column: string): number => Number(row[header.indexOf(column)]);
      for (const row of rows) {
        expect(at(row, 'low'), name).toBeLessThanOrEqual(at(row, field));
        expect(at(row, 'high'), name).toBeGreaterThanOrEqual(at(row, field));
        expect(row[header.indexOf('soc')], name).toMatch(/^SM8\d50$/);
      }
    }
  });

  it('name a chip by its number', () => {
    expect(socNumber({ soc: 'Snapdragon 8 Elite (SM8750)' })).toBe('SM8750');
    expect(socNumber({ soc: 'my phone' })).toBe('my phone');
  });
});
