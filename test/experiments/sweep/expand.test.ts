import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, contentHash } from '../../../experiments/lab/canonical.js';
import { expandSweep, rangeValues } from '../../../experiments/lab/expand.js';
import { planRuns, planSweep, shardOf } from '../../../experiments/lab/plan.js';
import { parseSweep, SWEEP_SCHEMA } from '../../../experiments/lab/sweep-file.js';
import { DataError, UsageError } from '../../../src/errors.js';

const sweep = (body: object) => parseSweep({ schema: SWEEP_SCHEMA, kind: 'step', ...body }, 'test');

describe('ranges', () => {
  it('include both ends where the steps hit them', () => {
    expect(rangeValues({ from: 32, to: 256, factor: 2 })).toEqual([32, 64, 128, 256]);
    expect(rangeValues({ from: 0, to: 0.3, step: 0.1 })).toEqual([0, 0.1, 0.2, 0.3]);
    expect(rangeValues({ from: 0, to: 1, count: 5 })).toEqual([0, 0.25, 0.5, 0.75, 1]);
    expect(rangeValues({ from: -2, to: 1 })).toEqual([-2, -1, 0, 1]);
    // An end at 0 has no rounding noise to be forgiven.
    expect(rangeValues({ from: -2, to: 0 })).toEqual([-2, -1, 0]);
    expect(rangeValues({ from: 1, to: 6, step: 2 })).toEqual([1, 3, 5]);
  });

  it.each([
    { from: 2, to: 1 },
    { from: 0, to: 4, factor: 2 },
    { from: 0, to: 4, step: 1, count: 3 },
    { from: 0, to: 4, setp: 1 },
  ])('refuses %j', (range) => {
    expect(() => sweep({ axes: { rows: range } })).toThrow(DataError);
  });
});

describe('expanding a sweep', () => {
  it('crosses the axes, the last one fastest', () => {
    expect(
      expandSweep(sweep({ base: { quant: 'q4_0' }, axes: { rows: [1, 2], memory: ['a', 'b'] } })),
    ).toEqual([
      { quant: 'q4_0', rows: 1, memory: 'a' },
      { quant: 'q4_0', rows: 1, memory: 'b' },
      { quant: 'q4_0', rows: 2, memory: 'a' },
      { quant: 'q4_0', rows: 2, memory: 'b' },
    ]);
  });

  it('moves one axis at a time from the base', () => {
    const found = expandSweep(
      sweep({ mode: 'one-at-a-time', base: { rows: 8 }, axes: { rows: [1, 2], context: [9] } }),
    );
    expect(found).toEqual([{ rows: 8 }, { rows: 1 }, { rows: 2 }, { rows: 8, context: 9 }]);
  });

  it('moves options together, sets entries, and appends the list', () => {
    const found = expandSweep(
      sweep({
        axes: { 'stack,memory': [['cpu', 'unlimited']], 'numbers.profile.npu.dmaRate': ['60 GB/s'] },
        runs: [{ rows: 5 }],
      }),
    );
    expect(found).toEqual([
      { stack: 'cpu', memory: 'unlimited', numbers: { 'profile.npu.dmaRate': '60 GB/s' } },
      { rows: 5 },
    ]);
  });

  it('runs a bare list alone', () => {
    expect(expandSweep(sweep({ base: { context: 1 }, runs: [{ rows: 1 }, { rows: 2 }] }))).toHaveLength(2);
  });

  it('says which value of a joint axis is wrong', () => {
    expect(() => expandSweep(sweep({ axes: { 'stack,memory': ['cpu'] } }))).toThrow(/stack,memory/);
  });
});

describe('addresses', () => {
  it('do not depend on the order of keys', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const turned = Object.fromEntries(Object.entries(value).reverse());
        expect(contentHash(turned)).toBe(contentHash(value));
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('are those of the resolved options: a default said aloud is the same run', async () => {
    const [plain] = await planRuns('step', [{}]);
    const runs = await planRuns('step', [{ rows: 32 }, { memory: 'somr', rows: 32 }, { rows: 33 }]);
    expect(runs).toHaveLength(2);
    expect(runs[0]!.hash).toBe(plain!.hash);
    expect(Object.keys(plain!.inputs)).toEqual(['profile sm8750']);
  });

  it('are the same under the names of earlier versions', async () => {
    const [old] = await planRuns('decode', [
      {
        prompts: 3,
        firstPrompt: 2,
        profileNumbers: { 'npu.dmaRate': '60 GB/s' },
        stackNumbers: { headSpeedup: '4' },
      },
    ]);
    const [today] = await planRuns('decode', [
      { cases: 3, firstCase: 2, numbers: { 'profile.npu.dmaRate': '60 GB/s', 'stack.headSpeedup': '4' } },
    ]);
    expect(old!.hash).toBe(today!.hash);
  });

  it('shards are disjoint and complete', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 9 }), (count, shards) => {
        const runs = Array.from({ length: count }, (_, i) => i);
        const parts = Array.from({ length: shards }, (_, i) => shardOf(runs, i + 1, shards));
        expect(parts.flat().sort((a, b) => a - b)).toEqual(runs);
      }),
    );
  });
});

describe('mistakes are found before anything runs', () => {
  it.each([
    [{ axes: { rowz: [1] } }, /rowz/],
    [{ axes: { rows: [0] } }, /rows/],
    [{ base: { profile: 'sm875' } }, /sm8750/],
    [{ base: { stack: 'lama' } }, /llada\.cpp|llama/],
    [{ base: { profileNumbers: { 'npu.dmaRat': '1 GB/s' } } }, /npu\.dmaRate/],
    [{ base: { fidelity: 'analytic' } }, /event by event/],
    [{ kind: 'decode', base: { prompts: 2, cases: 3 } }, /old name of cases/],
    [{ kind: 'stepp', base: { rows: 1 } }, /step/],
    [{ kind: 'decode', base: { policy: 'lada' } }, /llada/],
    [{ kind: 'decode', base: { options: { 'commit.visibel': 0.5 } } }, /visibel/],
  ])('%j', async (body, message) => {
    await expect(planSweep(sweep(body))).rejects.toThrow(UsageError);
    await expect(planSweep(sweep(body))).rejects.toThrow(message);
  });
});
