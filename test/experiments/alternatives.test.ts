import { describe, expect, it } from 'vitest';
import { WORKBENCH_DEFAULTS } from '../../experiments/comparison/options.js';
import { Workbench } from '../../experiments/comparison/workbench.js';
import { openSpec } from '../../experiments/lab/open.js';
import { deciderSchema } from '../../experiments/lab/setup.js';
import {
  bitsOf,
  cells,
  FORMATS,
  PRUNINGS,
  SOCS,
  STACKS,
  TECHNIQUES,
} from '../../experiments/studies/alternatives/grid.js';
import {
  autoregressive,
  machineOf,
  priceOf,
  rooflineMs,
} from '../../experiments/studies/alternatives/price.js';
import { Spreads } from '../../experiments/studies/alternatives/spread.js';

const [q8, q4, , two] = FORMATS;
const [dense, twoOfFour, , half] = [PRUNINGS[0], PRUNINGS[1], PRUNINGS[2], PRUNINGS[3]];

async function plans() {
  const bench = new Workbench({ ...WORKBENCH_DEFAULTS, genLength: 32 });
  const spec = openSpec({ policy: 'block-kv', options: {}, blockLength: null });
  const decider = deciderSchema.parse({ workload: 'synthetic' });
  const { decided } = await bench.lab.solve({
    decider,
    seed: 1,
    index: 0,
    genLength: 32,
    spec,
    clock: null,
    costs: null,
  });
  await bench.close();
  return decided.steps.map(({ plan }) => plan);
}

describe('alternatives', () => {
  it('has every cell once, and one change at a time where it must be quick', () => {
    const all = cells(false);
    expect(all.length).toBe(
      SOCS.length * STACKS.length * FORMATS.length * PRUNINGS.length * TECHNIQUES.length,
    );
    expect(
      cells(true).every(({ format, pruning }) => format.name === 'q4_0' || pruning.name === 'dense'),
    ).toBe(true);
  });

  it('stores as many bits as the formats have', () => {
    expect([bitsOf(q8, false), bitsOf(q4, false), bitsOf(q4, true), bitsOf(two, false)]).toEqual([
      8.5, 4.5, 3.5, 2.625,
    ]);
  });

  it('never makes an answer slower by fewer bits or rows, on any stack', async () => {
    const recorded = await plans();
    for (const stack of STACKS) {
      const seconds = (format: typeof q4 | typeof two, pruning: (typeof PRUNINGS)[number]) => {
        const cell = { soc: 'sm8750', stack, format, pruning } as const;
        return priceOf(machineOf(cell), 'sm8750', stack.stack, recorded).seconds;
      };
      const base = seconds(q4, dense);
      for (const changed of [seconds(two, dense), seconds(q4, half), seconds(q4, twoOfFour)])
        expect(changed, stack.name).toBeLessThanOrEqual(base * (1 + 1e-9));
      // No pass is faster than the roofline of the chip.
      expect(base * 1000).toBeGreaterThan(32 * rooflineMs('sm8750', 32) * 0.9);
    }
  }, 60_000);

  it('holds the prediction in its interval, priced formats with the factors of the one that runs', async () => {
    const recorded = await plans();
    const spreads = new Spreads();
    for (const stack of [STACKS[2], STACKS[3]]) {
      const where = { soc: 'sm8750', stack } as const;
      const { low, high } = spreads.ofAnswer({ ...where, format: q4 }, 'prefix KV', recorded);
      expect(low).toBeLessThan(0.95);
      expect(high).toBeGreaterThan(1.05);
      expect(high / low).toBeLessThan(10);
      expect(spreads.ofAnswer({ ...where, format: two }, 'prefix KV', recorded)).toEqual({ low, high });
      // A token at a time is known less well than a block.
      const one = spreads.ofTokens({ ...where, format: q4 }, 96);
      expect(one.high / one.low).toBeGreaterThan(1.3);
    }
  });

  it('prices an autoregressive answer that grows with its length', () => {
    const answer = (tokens: number) => autoregressive('sm8750', 'llama.cpp-hexagon', 'q4_0', 80, tokens);
    expect(answer(64).seconds).toBeGreaterThan(answer(32).seconds * 1.5);
    expect(answer(64).joules).toBeGreaterThan(answer(32).joules);
  });
});
