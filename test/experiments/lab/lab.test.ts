import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { SyntheticDecider } from '../../../experiments/lab/deciders/synthetic/decider.js';
import { Lab, type Question } from '../../../experiments/lab/lab.js';
import { readsClock, readsCosts } from '../../../experiments/lab/machine-use.js';
import { openSpec } from '../../../experiments/lab/open.js';
import { partsOf } from '../../../experiments/lab/parts.js';
import { chipSchema, deciderSchema, methodSchema } from '../../../experiments/lab/setup.js';
import { POLICY_NAMES } from '../../../src/decode/policies.js';

const specOf = (policy: string, options = {}) => openSpec(methodSchema.parse({ policy, options }));
const question = (policy: string, chip: object, options = {}): Question => ({
  decider: deciderSchema.parse({ workload: 'synthetic' }),
  seed: 1,
  index: 0,
  genLength: 64,
  spec: specOf(policy, options),
  clock: chipSchema.parse({ costModel: 'tinyllama-1.1b', ...chip }),
  costs: chipSchema.parse({ costModel: 'tinyllama-1.1b', ...chip }),
});
const CHIPS = [
  { profile: 'sm8750' },
  { profile: 'sm8550' },
  { numbers: { 'profile.npu.dmaRate': '10 GB/s' } },
];

afterEach(() => {
  vi.restoreAllMocks();
});

describe('the lab', () => {
  it.each([
    ['threshold', {}, 1],
    // A refresh lands when its machine is done with it, and lookahead goes by what rows cost.
    ['llada.cpp', { 'window.lookahead': null }, CHIPS.length],
    ['mbsd', {}, CHIPS.length],
  ])('%s %j on three chips: decided %i times', async (policy, options, times) => {
    const decode = vi.spyOn(SyntheticDecider.prototype, 'decode');
    const lab = new Lab();
    const solved = [];
    for (const chip of CHIPS) solved.push(await lab.solve(question(policy, chip, options)));
    expect(decode).toHaveBeenCalledTimes(times);
    // Asked again, nothing is decided again, and the answer is the same.
    for (const [at, chip] of CHIPS.entries()) {
      expect((await lab.solve(question(policy, chip, options))).timings).toEqual(solved[at].timings);
    }
    expect(decode).toHaveBeenCalledTimes(times);
    const ends = solved.map(({ timings }) => timings?.at(-1)?.endMs);
    expect(new Set(ends).size).toBe(CHIPS.length);
    await lab.close();
  });

  it('gives what a fresh one gives, whatever it has open and in whatever order it is asked', async () => {
    const asked = CHIPS.flatMap((chip) =>
      ['llada.cpp', 'threshold', 'mbsd'].map((policy) => question(policy, chip)),
    );
    const lab = new Lab();
    const together = await Promise.all(asked.map((each) => lab.solve(each)));
    for (const [at, each] of asked.entries()) {
      const alone = new Lab();
      const { decided, timings } = await alone.solve(each);
      expect(timings).toEqual(together[at].timings);
      expect(decided.tokens).toEqual(together[at].decided.tokens);
      await alone.close();
    }
    await lab.close();
  });

  it('knows of every policy whether a machine matters to it', () => {
    const reading = POLICY_NAMES.filter((name) => readsClock(specOf(name)) || readsCosts(specOf(name)));
    expect(reading).toEqual(expect.arrayContaining(['mbsd', 'mbsd-sts', 'mbsd-sts-sls', 'llada.cpp']));
    expect(reading).not.toContain('threshold');
  });
});

describe('parts of the work', () => {
  it('hold every run once, and what shares work together', () => {
    const run = fc.record({ id: fc.nat(), sharing: fc.option(fc.constantFrom('a', 'b', 'c')) });
    fc.assert(
      fc.property(fc.array(run), fc.integer({ min: 1, max: 5 }), (runs, most) => {
        const parts = partsOf(runs, most);
        expect(parts.flat()).toHaveLength(runs.length);
        expect(new Set(parts.flat())).toEqual(new Set(runs));
        for (const part of parts) {
          expect(part.length).toBeLessThanOrEqual(most);
          expect(new Set(part.map(({ sharing }) => sharing)).size).toBe(1);
          if (part.length > 1) expect(part[0].sharing).not.toBeNull();
        }
        for (const key of ['a', 'b', 'c']) {
          const own = parts.filter(([{ sharing }]) => sharing === key);
          expect(own.slice(0, -1).every((part) => part.length === most)).toBe(true);
        }
      }),
    );
  });
});
