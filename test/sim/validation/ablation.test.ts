import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Ablation, ablationsOf } from '../../../sim/validation/ablation.js';
import { type PublishedRow, parsePublished } from '../../../sim/validation/published.js';
import { rowMs } from '../../../sim/validation/row-ms.js';
import { DataError } from '../../../src/errors.js';

const shipped = (name: string): PublishedRow[] =>
  parsePublished(readFileSync(`sim/validation/${name}.csv`, 'utf8'), name);

const row = (changes: Partial<PublishedRow>): PublishedRow => ({
  id: 'T-1',
  device: 'phone',
  soc: 'SM8750',
  npu_arch: 'v79',
  model: 'Qwen3-0.6B',
  params_b: '0.6',
  quant: 'Q4_0',
  engine: 'llama.cpp-hexagon (2026-05)',
  phase: 'decode',
  batch_or_tokens: '1',
  context: '128',
  metric: 'latency',
  value: 20,
  unit: 'ms',
  source: 'a test',
  ...changes,
});

const part = (changes: Partial<PublishedRow>): PublishedRow =>
  row({ id: 'T-2', model: 'NPU', phase: 'part', context: '', part_of: 'T-1', ...changes });

/** Parts add up to their whole, and shares to one. */
function checkSums({ parts, publishedMs, predictedMs, offMs, cancelled }: Ablation): void {
  const sum = (of: (at: Ablation['parts'][number]) => number): number =>
    parts.reduce((all, each) => all + of(each), 0);
  expect(sum((each) => each.publishedMs)).toBeCloseTo(publishedMs, 6);
  expect(sum((each) => each.predictedMs)).toBeCloseTo(predictedMs, 6);
  expect(sum((each) => each.offMs)).toBeCloseTo(offMs, 6);
  expect(sum(({ share }) => share)).toBeCloseTo(1, 6);
  expect(cancelled).toBeGreaterThanOrEqual(0);
  expect(cancelled).toBeLessThanOrEqual(1);
}

describe('errors of parts', () => {
  it('add up, of everything that is shipped', () => {
    const all = ['published-parts', 'published-open'].flatMap((name) => ablationsOf(shipped(name)));
    expect(all.map(({ id }) => id)).toEqual(['P-01', 'P-02', 'P-11', 'P-13', 'P-21', null, null]);
    for (const each of all) checkSums(each);
  });

  it('show what cancels in the sum', () => {
    const whole = row({});
    const { predictedMs } = rowMs(whole);
    const [{ parts, offMs, cancelled }] = ablationsOf([
      row({ value: predictedMs }),
      part({ value: predictedMs / 100 }),
    ]);
    expect(offMs).toBeCloseTo(0, 9);
    expect(cancelled).toBeCloseTo(1, 9);
    expect(parts.map(({ share }) => share)).toEqual([expect.closeTo(0.5, 9), expect.closeTo(0.5, 9)]);
    expect(parts[0].offMs).toBeGreaterThan(0);
  });

  it('follow what rows say, whatever the numbers', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.1, max: 1000, noNaN: true }),
        fc.double({ min: 0.1, max: 1000, noNaN: true }),
        fc.integer({ min: 1, max: 40 }),
        fc.constantFrom('NPU', 'CPU', 'host', 'NPU/attention', 'GPU'),
        (value, own, times, model) => {
          const [found] = ablationsOf([row({ value }), part({ value: own, times, model })]);
          checkSums(found);
          expect(found.parts[0].publishedMs).toBeCloseTo(times * own, 6);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('take prompt and token of one source together, and a call with the device in it', () => {
    const prompt = row({
      id: 'T-3',
      phase: 'prefill',
      batch_or_tokens: '64',
      metric: 'throughput',
      unit: 'tok/s',
    });
    const [request] = ablationsOf([row({}), prompt]);
    expect(request.id).toBeNull();
    expect(request.parts.map(({ id, times }) => [id, times])).toEqual([
      ['T-3', 1],
      ['T-1', 128],
    ]);
    expect(request.publishedMs).toBeCloseTo(64_000 / 20 + 128 * 20, 6);
    const kernel = { model: 'MUL_MAT m2048 k2048 n1', phase: 'kernel', unit: 'us' };
    const [call] = ablationsOf([
      row({ ...kernel, metric: 'latency per call', value: 90 }),
      row({ ...kernel, id: 'T-4', metric: 'latency', value: 60 }),
    ]);
    expect(call.parts.map(({ name, publishedMs }) => [name, publishedMs])).toEqual([
      ['device', 0.06],
      ['host', expect.closeTo(0.03, 9)],
    ]);
    checkSums(call);
  });

  it('are refused by name where a file is wrong', () => {
    const find =
      (...rows: PublishedRow[]) =>
      () =>
        ablationsOf(rows);
    expect(find(part({ part_of: 'T-9' }))).toThrow(DataError);
    expect(find(row({}), part({ model: 'TPU' }))).toThrow(/no part "TPU"; there are .*CPU/);
    expect(find(row({}), part({ model: 'NPU/feed' }))).toThrow(/no part "feed"; there are .*feed-forward/);
    expect(find(row({}), part({ unit: 'tok/s' }))).toThrow(/a part is in s, ms, us or %/);
    expect(find(part({ part_of: undefined }), row({ part_of: 'T-2' }))).toThrow(/names no row in part_of/);
    const text = 'id,times\nA,0';
    expect(() => parsePublished(text, 'f.csv')).toThrow(/missing columns/);
  });
});
