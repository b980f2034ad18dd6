import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { processFile } from '../../experiments/lab/deciders/synthetic/profiles.js';
import { openDecider } from '../../experiments/lab/open.js';
import { checkTrajectories } from '../../experiments/trajectories/check.js';
import { emergenceOf, STEPS_PCT, stepAt } from '../../experiments/trajectories/emergence.js';
import { fitTrajectories } from '../../experiments/trajectories/fit.js';
import { recordModel } from '../../experiments/trajectories/of-model.js';
import { workloadEmergence } from '../../experiments/trajectories/of-workload.js';
import {
  parseTrajectory,
  revisedAfter,
  rightSteps,
  type Trajectory,
  texts,
} from '../../experiments/trajectories/trajectory.js';
import { DataError, UsageError } from '../../src/errors.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const step = (tokens: number[], masked: number[], confidences?: number[]) => ({
  tokens,
  masked,
  confidences,
});
const line = (value: unknown): Trajectory => parseTrajectory(JSON.stringify(value), 'file:1');

/** Position 1 is decided first, then 0; step 1 would take another token for 1, which is decided already. */
const SMALL = {
  promptTokens: 2,
  steps: [step([7, 8], [0, 1], [0.2, 0.95]), step([5, 9], [0], [0.9, 0.5])],
  reference: [5, 8],
};

describe('trajectories', () => {
  it('complete what was decided by what a step predicts', () => {
    const small = line(SMALL);
    expect(texts(small)).toEqual([
      [7, 8],
      [5, 8],
    ]);
    expect(rightSteps(small, 'x')).toEqual([false, true]);
    expect(rightSteps(line({ ...SMALL, answer: [1] }), 'x')).toEqual([true, true]);
    expect(revisedAfter(small, 0.9)).toEqual({ committed: 1, revised: 1 });
    expect(revisedAfter(small, 0.96)).toEqual({ committed: 0, revised: 0 });
  });

  it('come from histories of sequences, where masks say what was decided', () => {
    const read = line({
      promptTokens: 1,
      maskId: 99,
      history: [
        [1, 99, 8],
        [1, 5, 8],
      ],
      reference: [5, 8],
    });
    expect(read.steps.map(({ tokens, masked }) => ({ tokens, masked }))).toEqual([
      { tokens: [-1, 8], masked: [0, 1] },
      { tokens: [5, 8], masked: [0] },
    ]);
    expect(rightSteps(read, 'x')).toEqual([false, true]);
  });

  it.each([
    ['another length', { ...SMALL, steps: [SMALL.steps[0], step([5], [0])] }],
    ['masked again', { ...SMALL, steps: [...SMALL.steps, step([5, 8], [0, 1])] }],
    ['right has', { ...SMALL, right: [true] }],
    ['reference has', { ...SMALL, reference: [1] }],
    ['answer names', { ...SMALL, answer: [2] }],
    ['steps', { ...SMALL, steps: [] }],
    ['sequence 1', { promptTokens: 0, maskId: 9, history: [[9, 8], [1]] }],
  ])('refuse damage: %s', (message, damaged) => {
    expect(() => line(damaged)).toThrow(DataError);
    if (message !== 'another length') expect(() => line(damaged)).toThrow(message);
  });

  it('refuse to say what is right where the file does not', () => {
    expect(() => rightSteps(line({ ...SMALL, reference: undefined }), 'x')).toThrow(
      'nothing says what is right',
    );
  });
});

describe('emergence', () => {
  it('ends shares of the steps where they end', () => {
    expect(STEPS_PCT.map((share) => stepAt(share, 256) + 1)).toEqual([64, 103, 128, 154, 192, 256]);
    expect(stepAt(25, 1)).toBe(0);
  });

  it('counts what was right once and is wrong at the end, and nothing else', () => {
    const answers = fc.array(fc.array(fc.boolean(), { minLength: 1, maxLength: 9 }), { minLength: 1 });
    fc.assert(
      fc.property(answers, (all) => {
        const found = emergenceOf(all);
        const ends = all.filter((right) => right.at(-1)).length;
        const ever = all.filter((right) => right.includes(true)).length;
        expect(found.rightPct.at(-1)).toBeCloseTo((100 * ends) / all.length);
        expect(found.rightThenWrongPct).toBeCloseTo((100 * (ever - ends)) / all.length);
      }),
    );
  });

  it('of the process: ends at the published accuracy, inside its intervals', async () => {
    const { emergence } = await workloadEmergence({
      workload: 'synthetic:gsm8k',
      engine: 'tfjs',
      seed: 1,
      cases: 100,
      blockLength: 32,
    });
    expect(emergence.rightPct.at(-1)).toBeCloseTo(75.7);
    emergence.rightPct.forEach((share, at) => {
      expect(share).toBeGreaterThanOrEqual(emergence.lowPct[at]);
      expect(share).toBeLessThanOrEqual(emergence.highPct[at]);
    });
    expect(emergence.rightPct[4]).toBeGreaterThan(emergence.rightPct[0]);
    expect(emergence.rightThenWrongPct).toBeGreaterThan(0);
  });

  it('refuses a workload whose predictions nobody kept', async () => {
    const options = { engine: 'tfjs', seed: 1, blockLength: 32 } as const;
    await expect(workloadEmergence({ ...options, workload: 'trace:x' })).rejects.toThrow(UsageError);
    const record = { seed: 1, cases: 1, genLength: 32, blockLength: 32 };
    await expect(recordModel({ workload: 'synthetic' }, record)).rejects.toThrow('runs no model');
  });
});

describe('the harder setting', () => {
  it('is another set of problems of the same model', async () => {
    const [usual, hard] = [await openDecider({}, 1), await openDecider({ workload: 'tiny-llada:hard' }, 1)];
    expect(usual.decisions(2)).toContain('2 long held-out problems');
    expect(hard.decisions(2)).toContain('2 hard held-out problems');
    usual.close();
    hard.close();
    await expect(openDecider({ workload: 'tiny-llada:hard', data: 'x.jsonl' }, 1)).rejects.toThrow(
      UsageError,
    );
  });
});

describe('a process and recordings', () => {
  it('is fitted to a recorded model and read as a workload', async () => {
    const file = join(temporaryDirectory(), 'own.jsonl');
    const made = await recordModel({ engine: 'ort' }, { seed: 1, cases: 1, genLength: 64, blockLength: 32 });
    expect(made[0].right?.length).toBe(64);
    writeFileSync(file, made.map((each) => `${JSON.stringify(each)}\n`).join(''));
    const fitted = await fitTrajectories(file, 120);
    const out = join(temporaryDirectory(), 'fit.json');
    writeFileSync(out, JSON.stringify(fitted));
    const error = (profile: string) => {
      const { points } = checkTrajectories(file, profile);
      return points.reduce((sum, { processPct, recordedPct }) => sum + (processPct - recordedPct) ** 2, 0);
    };
    expect(error(out)).toBeLessThan(error('paper'));
    expect(fitted.parameters.knee).toBe(processFile().parameters.knee);
    const decider = await openDecider({ workload: `synthetic:${out}` }, 1);
    expect(decider.decisions(3)).toContain('recorded trajectories');
  }, 60_000);
});
