import { describe, expect, it } from 'vitest';
import { WORKBENCH_DEFAULTS } from '../../experiments/comparison/options.js';
import { runStudy } from '../../experiments/comparison/run.js';
import { Workbench } from '../../experiments/comparison/workbench.js';
import { ResultStore } from '../../experiments/lab/store.js';
import { ofGain, ofMean } from '../../experiments/studies/rivals/intervals.js';
import { rivals } from '../../experiments/studies/rivals.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

describe('rivals', () => {
  it('keeps its decodes as runs: a longer study makes only what is missing, and the same answer comes of the store', async () => {
    const store = new ResultStore(temporaryDirectory());
    const study = async (prompts: number) => {
      let made = 0;
      const hooks = { store, onProgress: (_: number, total: number) => (made = total) };
      // The synthetic process decides in milliseconds.
      const bench = new Workbench(
        { ...WORKBENCH_DEFAULTS, workload: 'synthetic', genLength: 32, prompts },
        hooks,
      );
      try {
        const { result } = await runStudy(rivals, bench);
        return { result, made };
      } finally {
        await bench.close();
      }
    };
    const one = await study(1);
    expect(one.made).toBe(10);
    const three = await study(3);
    expect(three.made).toBe(20);
    const again = await study(3);
    expect(again.made).toBe(0);
    expect(again.result).toEqual(three.result);
    const rows = three.result.table ?? [];
    expect(rows.filter(({ runs }) => runs === true)).toHaveLength(10);
    for (const row of rows.filter(({ runs }) => runs === true)) {
      expect(row.cases).toBe(3);
      expect(row.seconds_low).toBeLessThanOrEqual(row.seconds as number);
      expect(row.seconds_high).toBeGreaterThanOrEqual(row.seconds as number);
    }
  });

  it('draws cases in pairs: a gain that is the same in every case has no interval, its seconds do', () => {
    const base = [2, 4, 9, 1, 5];
    const own = base.map((seconds) => seconds / 2);
    const gain = ofGain(own, base, 1);
    expect(gain.low).toBeCloseTo(2, 12);
    expect(gain.high).toBeCloseTo(2, 12);
    const seconds = ofMean(own, 1);
    expect(seconds.high - seconds.low).toBeGreaterThan(1);
  });

  it('cuts off 2.5 % at either end', () => {
    // Of 100 cases, half of them 1 and half 3: drawn anew, 40 to 60 of a hundred are threes in 95 % of draws (binomial).
    const cases = Array.from({ length: 100 }, (_, at) => (at % 2 === 0 ? 1 : 3));
    const { low, high } = ofMean(cases, 1);
    expect([low, high].map((value) => value.toFixed(2))).toEqual(['1.80', '2.20']);
    const ones = cases.map(() => 1);
    const gain = ofGain(cases, ones, 1);
    expect(gain.low).toBeCloseTo(1 / high, 9);
    expect(gain.high).toBeCloseTo(1 / low, 9);
  });
});
