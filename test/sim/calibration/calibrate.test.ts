import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Fit, fitOperators } from '../../../sim/calibration/calibrate.js';
import { fitClock, fitHost } from '../../../sim/calibration/host.js';
import { leastSquares } from '../../../sim/calibration/least-squares.js';
import { type OpSample, Predictor } from '../../../sim/calibration/samples.js';
import { loadProfile, overrideProfile } from '../../../sim/hardware/load-profile.js';
import { seededRandom } from '../../../sim/sensitivity/sensitivity.js';
import { stackByName } from '../../../sim/stacks/registry.js';
import type { Op } from '../../../src/model/graph.js';
import { graphFor } from '../../../src/model/graph-cache.js';
import { precisionFor, type Quant } from '../../../src/model/precision.js';
import { resolvePreset } from '../../../src/model/presets.js';

const base = loadProfile('sm8750');

interface Synthetic {
  readonly truth: Readonly<Record<string, string>>;
  readonly stack: string;
  readonly rows: readonly number[];
  readonly wanted?: (op: Op) => boolean;
  readonly quants?: readonly Quant[];
  /** Relative error of the timer. */
  readonly noise?: number;
}

/** origin: synthetic. Operators of one layer at several numbers of rows, timed by a machine of known numbers. */
function samplesOf(synthetic: Synthetic): OpSample[] {
  const { truth, stack: name, rows, wanted = () => true, noise = 0, quants = ['q4_0'] } = synthetic;
  const stack = stackByName(name);
  const { activations } = stack;
  const formats = quants.map((quant) =>
    precisionFor(quant, activations === undefined ? {} : { activations }),
  );
  const untimed = rows.flatMap((count) => {
    const kvSets = [{ name: 'prefix', length: 256 }];
    const shape = { rows: count, kvSets, logitsRows: count, masked: false };
    return formats.flatMap((precision) => {
      const graph = graphFor(resolvePreset('llada-8b'), shape, precision);
      const ops = graph.ops.filter((op) => op.layer === 1 && wanted(op));
      return ops.map(({ id: op }) => ({ graph, op, us: 1 }));
    });
  });
  const predictor = new Predictor(untimed, base, stack);
  const random = seededRandom(7);
  return predictor.times(overrideProfile(base, truth), 'event').map((us, at) => {
    const measured = (us + 1000 * stack.numbers.opStartMs) * (1 + noise * (2 * random() - 1));
    return { ...predictor.samples[at]!, us: measured };
  });
}

function fitted({ numbers }: Fit, path: string): number {
  const found = numbers.find((number) => number.path === path);
  if (found === undefined) throw new Error(`${path} was not determined`);
  return found.value;
}

const within = (value: number, truth: number, share: number): void =>
  expect(Math.abs(value / truth - 1)).toBeLessThan(share);

describe('least squares', () => {
  it('finds the minimum of a curved valley', () => {
    const solution = leastSquares(([x = 0, y = 0]) => [10 * (y - x * x), 1 - x], [-1, 1]);
    expect(solution.logs[0]).toBeCloseTo(1, 4);
    expect(solution.logs[1]).toBeCloseTo(1, 4);
  });
});

describe('calibration from the times of operators', () => {
  const rate = (from: number, to: number) => fc.integer({ min: from, max: to });

  it('gives the numbers of a machine back', { timeout: 300_000 }, () => {
    const chip = fc.record({ dma: rate(25, 60), beside: rate(30, 90), macs: rate(2000, 6000) });
    fc.assert(
      fc.property(chip, ({ dma, beside, macs }) => {
        const slow = (dma * beside) / 100;
        const truth = {
          'npu.dmaBypassRate': `${dma} GB/s`,
          'npu.dmaBypassRateBesideMatrix': `${slow} GB/s`,
          'npu.matrixMacsPerCycle': `${macs}`,
        };
        // Weights that are not decoded tell DMA from decoding.
        const [stack, quants] = ['llama.cpp-hexagon', ['q4_0', 'f16'] as const] as const;
        const samples = samplesOf({ truth, stack, quants, rows: [32, 256] });
        const fit = fitOperators(samples, base, stackByName('llama.cpp-hexagon'));
        expect(fit.rmsBest).toBeLessThan(0.01);
        expect(fit.rms).toBeLessThan(fit.rmsBefore);
        expect(fit.numbers.length).toBeGreaterThan(1);
        // Whatever it calls determined is so, within three of the errors that it states.
        const known = overrideProfile(base, truth).provenance;
        for (const { path, value, error } of fit.numbers) {
          expect(Math.abs(value / known[path]!.value - 1), path).toBeLessThan(Math.max(0.03, 3 * error));
        }
      }),
      process.env.DLLM_FUZZ_RUNS === undefined ? { numRuns: 1, seed: 7 } : { numRuns: 8 },
    );
  });

  it('gives them back for compiled graphs too, from a timer that is off by up to 3 %', {
    timeout: 300_000,
  }, () => {
    const truth = { 'npu.dmaBulkRate': '48 GB/s', 'npu.matrixMacsPerCycle': '3000' };
    const fit = fitOperators(
      samplesOf({ truth, stack: 'qnn', rows: [32, 256], noise: 0.03 }),
      base,
      stackByName('qnn'),
    );
    within(fitted(fit, 'npu.dmaBulkRate'), 48, 0.08);
    within(fitted(fit, 'npu.matrixMacsPerCycle'), 3000, 0.08);
    expect(fit.rms).toBeLessThan(0.05);
  });

  it('does not choose between two numbers that explain the times alike', { timeout: 300_000 }, () => {
    const truth = { 'npu.dmaBypassRate': '40 GB/s', 'npu.dmaBypassRateBesideMatrix': '24 GB/s' };
    const stack = 'htp-ops';
    const fit = fitOperators(samplesOf({ truth, stack, rows: [32, 256] }), base, stackByName(stack));
    const because = new Map(fit.kept.map((kept) => [kept.path, kept.because]));
    expect(because.get('npu.dmaBypassRate')).toMatch(/hardly tell it apart|standard error would be/);
  });

  it('says nothing about what the operators do not depend on', () => {
    const truth = { 'npu.directReadRate': '18 GB/s' };
    const fit = fitOperators(
      samplesOf({ truth, stack: 'llada.cpp', rows: [32, 64, 128], wanted: ({ kind }) => kind === 'add' }),
      base,
      stackByName('llada.cpp'),
    );
    expect(fit.numbers.map(({ path }) => path)).toEqual(['npu.directReadRate']);
    within(fitted(fit, 'npu.directReadRate'), 18, 0.02);
    const because = new Map(fit.kept.map((kept) => [kept.path, kept.because]));
    expect(because.get('npu.matrixMacsPerCycle')).toMatch(/no operator of the record depends on it/);
  });

  it('says that there is nothing to go by', () => {
    const fit = fitOperators([], base, stackByName('qnn'));
    expect(fit.numbers).toEqual([]);
    expect(fit.kept[0]!.because).toMatch(/no operator that runs on the NPU/);
  });
});

describe('calibration from passes', () => {
  const stack = stackByName('qnn');
  const passes = [1, 2, 4, 8].map((megabytes) => ({
    us: 2 * 120 + 40 * megabytes,
    dispatches: 2,
    bytes: megabytes * 1e6,
  }));

  it('tells the cost of a call from that of the bytes it shares', () => {
    const { numbers } = fitHost(passes, base, stack);
    expect(numbers.map(({ path }) => path)).toEqual(['driver.remoteCall', 'driver.cacheMaintenance']);
    expect(numbers[0]!.value).toBeCloseTo(0.12, 9);
    expect(numbers[1]!.value).toBeCloseTo(0.04, 9);
  });

  it('does not guess which is which from passes of one size', () => {
    const { numbers, kept } = fitHost(
      passes.map((pass) => ({ ...pass, bytes: 1e6 })),
      base,
      stack,
    );
    expect(numbers).toEqual([]);
    expect(kept).toHaveLength(2);
  });

  it('takes the clock from what has both time and cycles', () => {
    const clocked = [100, 200, 5000].map((us) => ({ us, cycles: 1_900 * us }));
    expect(fitClock(clocked, base).numbers[0]).toMatchObject({ path: 'npu.clock', before: 2.11 });
    expect(fitClock(clocked, base).numbers[0]!.value).toBeCloseTo(1.9, 9);
    expect(fitClock([], base).numbers).toEqual([]);
  });
});
