import { describe, expect, it } from 'vitest';
import { SYNTHETIC_CONFIG, SyntheticEngine } from '../../../experiments/lab/deciders/synthetic/engine.js';
import { fitProcess, stepsAt } from '../../../experiments/lab/deciders/synthetic/fit.js';
import { nelderMead } from '../../../experiments/lab/deciders/synthetic/nelder-mead.js';
import { objective, plainly, residuals } from '../../../experiments/lab/deciders/synthetic/objective.js';
import { plainThreshold } from '../../../experiments/lab/deciders/synthetic/plain-threshold.js';
import { processFile } from '../../../experiments/lab/deciders/synthetic/profiles.js';
import { PUBLISHED_TASKS } from '../../../experiments/lab/deciders/synthetic/published-tasks.js';
import { openDecider } from '../../../experiments/lab/open.js';

const { parameters } = processFile();

describe('a simplex on a line', () => {
  /** x squared from 4, with a first step to 5: the points in the order in which they are asked for. */
  async function walk(budget: number) {
    const points: number[] = [];
    const found = await nelderMead(
      ([x = 0]) => {
        points.push(x);
        return Promise.resolve(x * x);
      },
      [4],
      [1],
      budget,
    );
    return { points, found };
  }

  it('reflects, expands where that is better still, and else draws in', async () => {
    const { points, found } = await walk(10);
    // 5 over 4 is 3, better than both: on to 2. 4 over 2 is 0; -2 is no better than 0. 2 over 0 is -2, as bad as 2: half way back,
    // 1. 1 over 0 is -1, as bad as 1: 0.5.
    expect(points).toEqual([4, 5, 3, 2, 0, -2, -2, 1, -1, 0.5]);
    expect(found).toEqual({ point: [0], value: 0, evaluations: 10 });
  });

  it('ends when its evaluations are spent', async () => {
    expect((await walk(4)).found).toEqual({ point: [2], value: 4, evaluations: 4 });
    expect((await walk(2)).found).toEqual({ point: [4], value: 16, evaluations: 2 });
  });

  it('draws in between the centre and the reflection where that is better than the worst', async () => {
    const points: number[] = [];
    // 0 at 0, 1 at 1 and everywhere else by the distance from -0.4: -1 is better than 1 and worse than 0.
    await nelderMead(
      ([x = 0]) => {
        points.push(x);
        return Promise.resolve(Math.abs(x + 0.4));
      },
      [0],
      [1],
      4,
    );
    expect(points).toEqual([0, 1, -1, -0.5]);
  });
});

describe('the confidence process', () => {
  it('spreads the whole of the probability over the tokens', async () => {
    const engine = new SyntheticEngine(parameters, { seed: 5, promptLength: 2, textLength: 4 });
    const mask = SYNTHETIC_CONFIG.maskId ?? -1;
    const rows = [0, 0, mask, mask, mask, mask, mask].map((feed, position) => ({ position, feed }));
    const pass = { id: '1.0', version: 1, kind: 'denoise', lane: 'main', reads: [], rows } as const;
    const { logits } = await engine.run({ ...pass, visibility: 'all', logits: [2, 3, 6] });
    for (let row = 0; row < 3; row++) {
      const of = logits.slice(row * SYNTHETIC_CONFIG.vocab, (row + 1) * SYNTHETIC_CONFIG.vocab);
      expect(of.reduce((sum, each) => sum + Math.exp(each), 0)).toBeCloseTo(1, 5);
      expect(of[mask]).toBe(Number.NEGATIVE_INFINITY);
    }
  });

  it('is named by its profile, and the one of the paper by none', async () => {
    for (const name of ['synthetic', 'synthetic:easy', 'synthetic:easy,prompt=50'])
      expect((await openDecider({ workload: name }, 1)).name).toBe(name);
  });

  it('commits one position a step where nothing is sure enough, and all where everything is', () => {
    const of = (tau: number, genLength: number) =>
      plainThreshold(
        parameters,
        { seed: 5, promptLength: 6, textLength: Number.POSITIVE_INFINITY },
        genLength,
        8,
        tau,
      );
    expect(of(2, 16).steps).toBe(16);
    expect(of(0, 16).steps).toBe(2);
    expect(of(2, 16).commits.map(({ step }) => step)).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8,
    ]);
  });
});

describe('a fit', () => {
  it('is written down with how it was found, to four digits', async () => {
    const options = { seed: 4, cases: 1, genLength: 32, evaluations: 24, starts: 2 };
    const seen: [number, number][] = [];
    const file = await fitProcess(options, (evaluations, best) => seen.push([evaluations, best]));
    expect(file).toMatchObject({
      ...{
        schema: 'dllm-npu/confidence-process@1',
        seed: 4,
        cases: 1,
        genLength: 32,
        evaluations: seen.length,
      },
      fittedTo: 'arXiv:2606.13740, Figure 5b and Figure 8; nothing else of the paper',
      command: 'dllm-npu workload fit --seed 4 --cases 1 --evaluations 24 --starts 2',
    });
    // Where so short a search ends, to be looked at when it moves: its starts, its steps and its scales decide it.
    const found = { bias: 0.62, gapWeight: 0.6467, densityWeight: 4.314, densityScale: 8.493 };
    const more = {
      easyShare: 0.8332,
      easyBonus: 2.742,
      spread: 0.7212,
      sharpness: 3.587,
      wrongWeight: 0.1666,
    };
    for (const [name, value] of Object.entries({ ...found, ...more }))
      expect(file.parameters[name as keyof typeof parameters] / value, name).toBeCloseTo(1, 2);
    const shifts = [0, 0.382, -0.268, -1.176, -1.501, -2.442, -3.019];
    Object.values(file.profiles).forEach(({ shift }, at) => {
      expect(shift).toBeCloseTo(shifts[at], 1);
    });
    expect(file.evaluations).toBe(40);
    // The best so far never rises from one start to the next.
    expect(seen.at(-1)?.[1]).toBeLessThanOrEqual(seen[5][1]);
    expect(file.parameters).toMatchObject({ knee: 1.386, endBonus: 4, selfBonus: 0 });
    expect(Object.keys(file.assumed)).toEqual(['knee', 'endBonus', 'selfBonus']);
    for (const value of Object.values(file.parameters)) expect(Number(value.toPrecision(4))).toBe(value);
    expect(file.parameters.easyShare).toBeGreaterThan(0);
    expect(file.parameters.easyShare).toBeLessThan(1);
    expect(file.residuals).toHaveLength(48);
    expect(Object.keys(file.residuals[0])).toEqual(['name', 'fitted', 'target']);
    expect(await fitProcess(options)).toEqual(file);
    expect(Object.keys(file.parameters).sort()).toEqual(Object.keys(parameters).sort());
    expect(Object.keys(file.profiles)).toEqual('paper,easy,hard,gsm8k,math,humaneval,mbpp'.split(','));
    expect(seen.map(([evaluations]) => evaluations)).toEqual(seen.map((_, at) => at + 1));
    expect(file.evaluations).toBeGreaterThanOrEqual(options.evaluations);
    // What was searched with is what was written, but for digits.
    expect(file.value).toBe(objective(await residuals(file.parameters, options)));
    expect(objective(await residuals(file.parameters, options, plainly))).toBeCloseTo(file.value, 9);
    // A shift hits its steps: one halving on either side is further away.
    const run = { seed: 4, cases: 1, genLength: 32 };
    const own = stepsAt(file.parameters, null, run);
    for (const [name, steps] of [
      ['easy', own / Math.sqrt(97 / 68)],
      ['hard', own * Math.sqrt(97 / 68)],
    ] as const) {
      const { shift, textTokens } = file.profiles[name];
      const at = (by: number) =>
        stepsAt({ ...file.parameters, bias: file.parameters.bias + by }, textTokens, run);
      expect(at(shift - 0.01), name).toBeGreaterThanOrEqual(steps);
      expect(at(shift + 0.01), name).toBeLessThanOrEqual(steps);
    }
    for (const { task, steps, textTokens, source } of PUBLISHED_TASKS)
      expect(file.profiles[task]).toMatchObject({
        ...{
          textTokens,
          description: `${task}: the bias alone is shifted so that one published figure comes out`,
        },
        basis: `${steps} steps for 256 tokens at 0.9 (${source})`,
      });
    await expect(fitProcess({ ...options, starts: 0 })).rejects.toThrow(RangeError);
  });
});
