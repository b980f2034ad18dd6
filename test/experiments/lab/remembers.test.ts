import { afterEach, describe, expect, it, vi } from 'vitest';
import { SyntheticDecider } from '../../../experiments/lab/deciders/synthetic/decider.js';
import { Lab, type Question } from '../../../experiments/lab/lab.js';
import { openSpec } from '../../../experiments/lab/open.js';
import { chipSchema, deciderSchema, methodSchema } from '../../../experiments/lab/setup.js';
import { UsageError } from '../../../src/errors.js';

const specOf = (policy: string, options = {}) => openSpec(methodSchema.parse({ policy, options }));
const CHIP = chipSchema.parse({ costModel: 'tinyllama-1.1b' });
const question = (policy: string, changes: Partial<Question> = {}): Question => ({
  ...{ decider: deciderSchema.parse({ workload: 'synthetic' }), seed: 1, index: 0, genLength: 32 },
  ...{ spec: specOf(policy), clock: null, costs: null },
  ...changes,
});

afterEach(() => {
  vi.restoreAllMocks();
});

describe('what a lab has decided', () => {
  it('is decided anew for every other question, and for no other machine', async () => {
    const decode = vi.spyOn(SyntheticDecider.prototype, 'decode');
    const lab = new Lab();
    const base = question('threshold');
    const { decided, timings, policy } = await lab.solve(base);
    expect(timings).toBeNull();
    expect(policy.name).toBe('threshold');
    const others: Partial<Question>[] = [
      { seed: 2 },
      { index: 1 },
      { genLength: 64 },
      { spec: specOf('threshold', { 'commit.tau': 0.5 }) },
      { decider: deciderSchema.parse({ workload: 'synthetic:easy' }) },
    ];
    for (const [at, changes] of others.entries()) {
      await lab.solve({ ...base, ...changes });
      expect(decode, JSON.stringify(changes)).toHaveBeenCalledTimes(at + 2);
    }
    // Another name, another engine that does not run, a machine: nothing new is decided.
    const named = { ...specOf('threshold'), name: 'n', description: 'd', source: 's' };
    const same: Partial<Question>[] = [
      {},
      { spec: named },
      { decider: deciderSchema.parse({ workload: 'synthetic', engine: 'ort' }) },
      { clock: CHIP, costs: CHIP },
      { clock: { ...CHIP, memory: 'unlimited' } },
    ];
    for (const changes of same) expect((await lab.solve({ ...base, ...changes })).decided).toBe(decided);
    expect(decode).toHaveBeenCalledTimes(others.length + 1);
    await lab.close();
    await lab.solve(base);
    expect(decode).toHaveBeenCalledTimes(others.length + 2);
    await lab.close();
  });

  it('is forgotten where it failed, and the next question does not suffer', async () => {
    const lab = new Lab();
    const failing = vi
      .spyOn(SyntheticDecider.prototype, 'decode')
      .mockRejectedValueOnce(new UsageError('once'));
    const base = question('threshold');
    const [first, second] = await Promise.allSettled([lab.solve(base), lab.solve(base)]);
    expect(first).toMatchObject({ status: 'rejected', reason: { message: 'once' } });
    expect(second.status).toBe('fulfilled');
    expect(failing).toHaveBeenCalledTimes(2);
    await lab.close();
  });

  it('is timed from a machine at rest, whatever was timed before', async () => {
    const lab = new Lab();
    const on = (policy: string) => lab.solve(question(policy, { clock: CHIP, costs: CHIP }));
    const first = await on('threshold');
    const again = await on('threshold');
    expect(first.timings).toHaveLength(first.decided.steps.length);
    expect(again.timings).toEqual(first.timings);
    expect(first.timings?.[0].startMs).toBe(0);
    // A refresh lands by the clock: the steps are timed as they are decided.
    const refreshed = await on('llada.cpp');
    expect(refreshed.timings).toEqual(refreshed.decided.steps.map(({ timing }) => timing));
    const machine = lab.machine(CHIP);
    expect(lab.machine(CHIP)).toBe(machine);
    expect(lab.machine({ ...CHIP, memory: 'unlimited' })).not.toBe(machine);
    await lab.close();
    expect(lab.machine(CHIP)).not.toBe(machine);
  });

  it('asks one question at a time, in their order', async () => {
    const lab = new Lab();
    const order: number[] = [];
    vi.spyOn(SyntheticDecider.prototype, 'decode').mockImplementation(async (index) => {
      order.push(index);
      await new Promise((resolve) => setImmediate(resolve));
      order.push(-index);
      throw new UsageError(`${index}`);
    });
    await Promise.allSettled([1, 2].map((index) => lab.solve(question('threshold', { index }))));
    expect(order).toEqual([1, -1, 2, -2]);
    await lab.close();
  });

  it('keeps one decider of a seed, and a policy of a machine whose costs it reads', async () => {
    const lab = new Lab();
    const one = await lab.decider({ workload: 'synthetic' }, 1);
    expect(await lab.decider({ workload: 'synthetic', threads: 2 }, 1)).toBe(one);
    expect(await lab.decider({ workload: 'synthetic' }, 2)).not.toBe(one);
    const close = vi.spyOn(SyntheticDecider.prototype, 'close');
    await expect(lab.decider({ workload: 'synthetic:none' }, 1)).rejects.toThrow(UsageError);
    const lookahead = specOf('mbsd');
    const costed = lab.policy(lookahead, CHIP);
    expect(lab.policy(lookahead, CHIP)).toBe(costed);
    expect(lab.policy(lookahead, { ...CHIP, quant: 'f16' })).not.toBe(costed);
    expect(lab.policy(lookahead, null)).not.toBe(lab.policy(lookahead, null));
    expect(lab.policy(specOf('threshold'), CHIP)).not.toBe(lab.policy(specOf('threshold'), CHIP));
    await lab.close();
    expect(close).toHaveBeenCalledTimes(2);
    await lab.close();
    expect(close).toHaveBeenCalledTimes(2);
  });

  it('has one set of weights of a model until it is closed', async () => {
    const lab = new Lab();
    const weights = lab.weights('tiny-llada');
    expect(lab.weights('tiny-llada')).toBe(weights);
    expect(await weights).toMatchObject({ config: { name: expect.any(String) } });
    await lab.close();
    expect(lab.weights('tiny-llada')).not.toBe(weights);
    await lab.close();
  });

  it('follows the model that decides where it is asked, and takes the spec as it is where not', async () => {
    const lab = new Lab();
    const decider = deciderSchema.parse({ workload: 'tiny-dual' });
    const spec = specOf('block-causal');
    const solve = (asked?: Question['asked']) =>
      lab.solve({ ...question('block-causal', { decider, spec, genLength: 16 }), asked });
    const followed = await solve({ blockLength: null, options: {} });
    expect(followed.policy.spec.blockLength).toBe(8);
    expect(spec.blockLength).not.toBe(8);
    await expect(solve()).rejects.toThrow(/sees blocks of 8|multiple of the block length/);
    await lab.close();
  });
});
