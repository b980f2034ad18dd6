import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formSpread } from '../../../sim/interval/form.js';
import { machineIntervals } from '../../../sim/interval/of-runs.js';
import { MOST_DRAWN, stepIntervals } from '../../../sim/interval/of-steps.js';
import { machine, type NumberSettings, openChip } from '../../../sim/open-machine.js';
import { parametersOf } from '../../../sim/sensitivity/parameters.js';
import { interpret } from '../../../sim/validation/interpret.js';
import { scoreRows } from '../../../sim/validation/score.js';
import { timeRows } from '../../../sim/workload/time-rows.js';
import { timeDecode } from '../../../sim/workload/workload.js';
import { resolvePreset } from '../../../src/model/presets.js';

const machineFor = (stack: string, set: NumberSettings = {}) =>
  machine({
    profile: 'sm8750',
    stack,
    set,
    shapes: resolvePreset('qwen3-0.6b'),
    quant: 'q4_0',
    memory: 'unlimited',
  });

const ofDecode = (stack: string, context: number, set?: NumberSettings) => {
  const timed = machineFor(stack, set);
  const { ms } = timeDecode(timed, context);
  const { intervals, held } = machineIntervals(timed, [{ ms, further: ['a token at a time'] }], (drawn) => [
    timeDecode(drawn, context).ms,
  ]);
  return { ms, held, ...intervals[0] };
};

describe('intervals of runs', () => {
  it('are those of a row of measurements that leaves nothing open', () => {
    const row = {
      id: 'X-1',
      device: 'phone',
      soc: 'SM8750',
      npu_arch: 'v79',
      model: 'Qwen3-0.6B',
      params_b: '0.6',
      quant: 'Q4_0',
      engine: 'mllm CPU',
      phase: 'decode',
      batch_or_tokens: '1',
      context: '128',
      metric: 'latency',
      value: 10,
      unit: 'ms',
      source: 'a test',
    };
    const found = interpret(row);
    if ('reason' in found) throw new Error(found.reason);
    const { profiles, stacks, bytesScale, recipe } = found.case;
    expect({ profiles, stacks, bytesScale, recipe }).toEqual({
      profiles: ['sm8750'],
      stacks: ['llama.cpp-cpu'],
      bytesScale: [1, 1],
      recipe: null,
    });
    const [scored] = scoreRows([row]);
    const { ms, low, high } = ofDecode('llama.cpp-cpu', 128);
    expect([scored.predicted, scored.low, scored.high]).toEqual([ms, low, high]);
  });

  it('hold the prediction, on every stack', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('llada.cpp', 'cpu', 'llama.cpp-hexagon', 'qnn', 'gpu'),
        fc.integer({ min: 0, max: 2000 }),
        (stack, context) => {
          const { ms, low, high } = ofDecode(stack, context);
          return low < ms && ms < high;
        },
      ),
      { numRuns: 10 },
    );
  });

  it('are left with the form of the model where every number is set', () => {
    const { profile, stack } = openChip({ profile: 'sm8750', stack: 'cpu' });
    const set = Object.fromEntries(
      parametersOf(profile, stack, true).map(({ name, value }) => [
        name.startsWith('stack.') ? name : `profile.${name}`,
        value,
      ]),
    );
    const { ms, low, high, held } = ofDecode('cpu', 100, set);
    const { deviation } = formSpread(stack, ['a token at a time']);
    // The ninetieth percentile of a normal distribution.
    expect(Math.log(high / ms) / deviation).toBeCloseTo(1.2816, 3);
    expect(Math.log(low / ms) / deviation).toBeCloseTo(-1.2816, 3);
    expect(held.forms).toEqual([formSpread(stack, ['a token at a time'])]);
  });

  it('of a sweep are exact where draws ran, and between their neighbours elsewhere', () => {
    const timed = machineFor('llada.cpp');
    const rows = Array.from({ length: 2 * MOST_DRAWN }, (_, i) => i + 1);
    const settings = { context: 64 };
    const steps = timeRows(timed, { rows, ...settings });
    const all = stepIntervals(timed, steps, settings).intervals;
    const ends = stepIntervals(timed, [steps[0], steps.at(-1)!], settings).intervals;
    expect([all[0], all.at(-1)]).toEqual(ends);
    for (const [at, { low, high }] of all.entries()) {
      expect(low).toBeLessThan(steps[at].ms);
      expect(high).toBeGreaterThan(steps[at].ms);
    }
  });
});
