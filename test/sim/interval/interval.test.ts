import { describe, expect, it } from 'vitest';
import { formSpread } from '../../../sim/interval/form.js';
import { spreadInterval } from '../../../sim/interval/interval.js';
import { chipIntervals } from '../../../sim/interval/of-runs.js';
import { ratioAt } from '../../../sim/interval/of-steps.js';
import { openChip } from '../../../sim/open-machine.js';
import { UsageError } from '../../../src/errors.js';

/** The tenth and the ninetieth percentile of a normal distribution lie so many deviations from its middle. */
const TENTH = 1.2815515655;

describe('an 80 % interval', () => {
  it('leaves out a tenth at each end of what is spread around one value', () => {
    const { low, high } = spreadInterval(8, [Math.log(8)], 0.25);
    expect(low).toBeCloseTo(8 * Math.exp(-TENTH * 0.25), 5);
    expect(high).toBeCloseTo(8 * Math.exp(TENTH * 0.25), 5);
  });

  it('is of the mixture of all samples: at its ends lie a tenth and nine tenths of it', () => {
    // Two samples so far apart that each tenth is a fifth of one of them.
    const { low, high } = spreadInterval(8, [Math.log(1), Math.log(64)], 0.125);
    const fifth = 0.8416212336;
    expect(low).toBeCloseTo(Math.exp(-fifth * 0.125), 5);
    expect(high).toBeCloseTo(64 * Math.exp(fifth * 0.125), 4);
  });

  it('holds what the form allows around the value at the defaults, though all samples lie on one side', () => {
    const below = spreadInterval(8, [Math.log(2), Math.log(2)], 0.25);
    expect(below.low).toBeCloseTo(2 * Math.exp(-TENTH * 0.25), 5);
    expect(below.high).toBeCloseTo(8 * Math.exp(TENTH * 0.25), 5);
    const above = spreadInterval(8, [Math.log(32), Math.log(32)], 0.25);
    expect(above.low).toBeCloseTo(8 * Math.exp(-TENTH * 0.25), 5);
    expect(above.high).toBeCloseTo(32 * Math.exp(TENTH * 0.25), 5);
  });
});

describe('the spread of the form', () => {
  const deviation = (name: string, ...further: Parameters<typeof formSpread>[1]) =>
    formSpread({ name }, further).deviation;

  it('is that of its software by name, whatever its date', () => {
    expect(deviation('llama.cpp-hexagon')).toBe(0.2);
    expect(deviation('llama.cpp-hexagon@2026-05')).toBe(0.2);
    expect(deviation('qnn-fp16')).toBe(0.3);
    expect(deviation('gpu')).toBe(0.3);
    expect(deviation('cpu')).toBe(0.35);
    expect(deviation('mnn-hexagon')).toBe(0.35);
  });

  it('grows in quadrature by each thing that is left to a stand-in', () => {
    const two = deviation('llada.cpp', 'one operator', 'a token at a time');
    expect(two).toBeCloseTo(Math.sqrt(0.2 ** 2 + 0.15 ** 2 + 0.2 ** 2), 12);
    expect(formSpread({ name: 'gpu' }, ['energy']).because).toEqual(['GPU kernels by a roofline', 'energy']);
  });
});

describe('intervals over draws of a chip', () => {
  const chip = openChip({ profile: 'sm8750', stack: 'gpu' });
  const spread = formSpread(chip.stack, []).deviation;

  it('are slower by heat, never faster, where nothing else varies', () => {
    const {
      intervals: [{ low, high }],
      held,
    } = chipIntervals(chip, [{ ms: 10, further: [] }], () => [10]);
    expect(low).toBeCloseTo(10 * Math.exp(-TENTH * spread), 4);
    expect(high).toBeGreaterThan(10 * Math.exp(TENTH * spread) * 1.05);
    expect(high).toBeLessThan(10 * Math.exp(TENTH * spread) * 1.2);
    expect(held).toMatchObject({ share: 0.8, dropped: 0 });
  });

  it('count the draws that cannot run the work, and are none where no draw can', () => {
    let draw = 0;
    const some = chipIntervals(chip, [{ ms: 10, further: [] }], () => {
      draw++;
      if (draw % 4 === 0) throw new UsageError('too large');
      return [10];
    });
    expect(some.held).toMatchObject({ draws: draw, dropped: draw / 4 });
    const never = () => {
      throw new UsageError('too large');
    };
    expect(() => chipIntervals(chip, [{ ms: 10, further: [] }], never)).toThrow(UsageError);
    const broken = () => {
      throw new Error('a fault');
    };
    expect(() => chipIntervals(chip, [{ ms: 10, further: [] }], broken)).toThrow('a fault');
  });

  it('are of each duration by itself, with its own form, and say each form once', () => {
    const durations = [
      { ms: 10, further: [] },
      { ms: 20, further: ['one operator'] },
      { ms: 30, further: [] },
    ] as const;
    const { intervals, held } = chipIntervals(chip, durations, () => [10, 20, 30]);
    expect(intervals[2].low / intervals[0].low).toBeCloseTo(3, 6);
    expect(intervals[1].low).toBeLessThan(2 * intervals[0].low);
    expect(held.forms.map(({ because }) => because.length)).toEqual([1, 2]);
  });
});

describe('a number of rows that no draw ran', () => {
  it('takes of its neighbours the more, the nearer they are', () => {
    const at = [1, 5, 9].map((rows) => ({ rows }));
    const ratios = [1, 2, 10];
    expect([1, 2, 4, 5, 7, 8, 9].map((rows) => ratioAt(rows, at, ratios))).toEqual([
      1, 1.25, 1.75, 2, 6, 8, 10,
    ]);
  });
});
