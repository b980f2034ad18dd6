import { describe, expect, it } from 'vitest';
import { LADDER } from '../../experiments/studies/ladder/ladder.js';
import { machineSpread, type RowStep } from '../../experiments/studies/ladder/machine-spread.js';
import { machine } from '../../sim/open-machine.js';
import { resolvePreset } from '../../src/model/presets.js';

const at = (name: string): number => LADDER.findIndex((row) => row.name === name);

/** One block on half an answer; the last two rows skip half of their logits. */
const steps = LADDER.map(
  ({ policy }, row): RowStep =>
    policy === 'llada'
      ? { rows: 96, context: 0, logitsRows: 96 }
      : { rows: 32, context: 64, logitsRows: row >= at('+ SLS') ? 16 : 32 },
);

describe('intervals of the ladder over the machine', () => {
  const spread = machineSpread(
    ({ stack, memory }) =>
      machine({ profile: 'sm8750', stack, memory, shapes: resolvePreset('sdar-1.7b'), quant: 'q4_0' }),
    steps,
  );

  it('holds the seconds, and a factor of two stacks, with room on both sides', () => {
    const seconds = spread.seconds(at('+ SOMR'), 10);
    expect(seconds.low).toBeLessThan(10);
    expect(seconds.high).toBeGreaterThan(10);
    const factor = spread.ratio(at('CPU + prefix KV'), at('+ SCR'), 50);
    expect(factor.low).toBeLessThan(50);
    expect(factor.high).toBeGreaterThan(50);
    // Two stacks are off by themselves: 0.35 and 0.2 in quadrature are a factor of 1.67 either way in 80 %.
    expect(factor.high / factor.low).toBeGreaterThan(1.67 ** 2);
  });

  it('leaves nothing of a factor between rows whose steps are the same on the same machine', () => {
    const { low, high } = spread.ratio(at('+ MBSD'), at('+ STS'), 6);
    expect(low).toBeCloseTo(6, 3);
    expect(high).toBeCloseTo(6, 3);
    const own = spread.ratio(at('NPU'), at('NPU'), 1);
    expect([own.low, own.high].map((end) => end.toFixed(4))).toEqual(['1.0000', '1.0000']);
  });

  it('keeps the numbers, and only them, where two rows of one stack do different work', () => {
    const { low, high } = spread.ratio(at('+ STS'), at('+ SLS'), 1.12);
    expect(high).toBeGreaterThan(low * 1.0001);
    expect(high / low).toBeLessThan(2);
  });
});
