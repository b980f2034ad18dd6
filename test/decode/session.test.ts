import { describe, expect, it } from 'vitest';
import { composePolicy } from '../../src/decode/method/compose.js';
import { type DecodeOptions, decode } from '../../src/decode/method/session.js';
import type { StepTimer } from '../../src/decode/method/timer.js';
import { POLICY_NAMES, policyByName, policySpecByName } from '../../src/decode/policies.js';
import { CheckError, UsageError } from '../../src/errors.js';
import type { StepPlan } from '../../src/pass/pass.js';
import { RandomTimer } from './support/random-timer.js';
import { TOY_CONFIG, TOY_EOS, TOY_MASK, ToyEngine } from './support/toy-engine.js';

const options = (change: Partial<DecodeOptions> = {}): DecodeOptions => ({
  policy: policyByName('llada.cpp'),
  engine: new ToyEngine({ seed: 3 }),
  promptIds: [1, 2, 3, 4, 5],
  genLength: 64,
  ...change,
});

describe('decode', () => {
  it.each(POLICY_NAMES)('%s fills the canvas and counts its work', async (name) => {
    const engine = new ToyEngine({ seed: 3 });
    const { blockLength = 32 } = policySpecByName(name);
    const policy = composePolicy({ ...policySpecByName(name), blockLength: Math.min(blockLength, 8) });
    const genLength = 16;
    const { tokens, counters, remainingVisible, canvas, steps } = await decode(
      options({ policy, engine, genLength }),
    );
    expect(tokens).toHaveLength(genLength);
    expect(tokens).not.toContain(TOY_MASK);
    const main = engine.passes.filter((pass) => pass.lane === 'main');
    expect(counters.nfe).toBe(main.length);
    expect(counters.nfe).toBe(steps.length);
    expect(counters.nfe).toBe(Object.values(counters.forwards).reduce((a, b) => a + b));
    expect(counters.sideRefreshes).toBe(engine.passes.length - main.length);
    expect(counters.mainRows + counters.sideRows).toBe(
      engine.passes.reduce((sum, { rows }) => sum + rows.length, 0),
    );
    expect(counters.logitsRows).toBe(engine.passes.reduce((sum, { logits }) => sum + logits.length, 0));
    const eos = tokens.indexOf(TOY_EOS);
    expect(counters.textTokens).toBe(eos < 0 ? genLength : eos);
    expect(counters.tokensPerForward).toBeCloseTo(genLength / counters.nfe, 12);
    const visible = canvas.positions.flatMap(({ state }, position) => (state === 'V' ? [position] : []));
    expect(remainingVisible.map(({ position }) => position)).toEqual(visible);
  });

  it('ends in its budget when a schedule idles in a block that is mostly prompt', async () => {
    const policy = composePolicy({
      ...policySpecByName('block-causal'),
      blockLength: 6,
      commit: { kind: 'timestep' },
    });
    const { tokens } = await decode(options({ policy, promptIds: [0, 0, 0, 0], genLength: 6 }));
    expect(tokens).not.toContain(TOY_MASK);
  });

  it('counts one prefill, one forward per token and one seal per block but the last for block-kv', async () => {
    const { counters } = await decode(options({ policy: policyByName('block-kv') }));
    expect(counters.forwards).toEqual({ prefill: 1, denoise: 64, seal: 1, refresh: 0 });
    expect(counters.mainRows).toBe(5 + 64 * 32 + 32);
  });

  it('reports every step', async () => {
    const seen: number[] = [];
    const { steps, canvas } = await decode(
      options({ onStep: (record, after) => seen.push(record.plan.step, after.step) }),
    );
    expect(seen).toEqual(steps.flatMap((_, step) => [step, step + 1]));
    expect(canvas.step).toBe(steps.length);
  });

  it('lands refreshes when the timer says they are done, and drops what never was', async () => {
    const { steps, counters } = await decode(options({ timer: new RandomTimer(5, 6) }));
    const launched = steps.flatMap(({ plan }) => plan.passes.slice(1).map(({ id }) => id));
    const landed = steps.flatMap((step) => step.landed);
    const dropped = new Set(steps.flatMap((step) => step.dropped.map(({ passId }) => passId)));
    expect(launched.length).toBeGreaterThan(3);
    expect(steps.some(({ plan, landed: ids }) => ids.some((id) => !id.startsWith(`${plan.step}.`)))).toBe(
      true,
    );
    expect(new Set([...landed, ...dropped])).toEqual(new Set(launched));
    expect(counters.refreshesDropped).toBe(steps.flatMap((step) => step.dropped).length);
  });

  it('lands a refresh with the step that launched it where there is no timer', async () => {
    const { steps } = await decode(options());
    expect(steps.some(({ landed }) => landed.length > 0)).toBe(true);
    for (const { plan, landed } of steps) expect(landed).toEqual(plan.passes.slice(1).map(({ id }) => id));
  });

  it('sweeps what is still visible on the main lane after the last block', async () => {
    const spec = { ...policySpecByName('mbsd-sts'), final: { kind: 'sweep', passes: 3 } } as const;
    const { steps, counters } = await decode(options({ policy: composePolicy(spec) }));
    expect(counters.forwards.refresh).toBeGreaterThan(0);
    expect(counters.forwards.refresh).toBeLessThanOrEqual(3);
    expect(steps.at(-1)?.plan.passes[0].kind).toBe('refresh');
    expect(counters.sideRefreshes).toBe(0);
  });

  it('gives the same result on an engine that has decoded before', async () => {
    const engine = new ToyEngine({ seed: 3 });
    const first = await decode(options({ engine }));
    await decode(options({ engine, promptIds: [7, 7, 7] }));
    expect((await decode(options({ engine }))).steps).toEqual(first.steps);
  });

  it('stops when it is aborted', async () => {
    const controller = new AbortController();
    let steps = 0;
    const onStep = () => {
      steps++;
      controller.abort(new Error('stop'));
    };
    await expect(decode(options({ onStep, signal: controller.signal }))).rejects.toThrow('stop');
    expect(steps).toBe(1);
  });

  it('refuses a policy that does not end within its budget', async () => {
    const policy = policyByName('llada');
    const stuck = {
      ...policy,
      apply: (...args: Parameters<typeof policy.apply>) => ({
        ...policy.apply(...args),
        canvas: { ...args[0], step: args[0].step + 1 },
      }),
    };
    await expect(decode(options({ policy: stuck }))).rejects.toThrow(/law D4: llada .* budget of \d+ steps/);
    await expect(decode(options({ policy: stuck }))).rejects.toThrow(CheckError);
  });

  it('refuses a timer that ends unknown work', async () => {
    const timer = {
      name: 'odd',
      time: () => ({ startMs: 0, endMs: 1, completed: ['7.7'] }),
    };
    await expect(decode(options({ timer }))).rejects.toThrow(/7\.7, which is not under way/);
    // Nor is the main pass, which ends with its step.
    const main = { name: 'odd', time: () => ({ startMs: 0, endMs: 1, completed: ['0.0'] }) };
    await expect(decode(options({ timer: main }))).rejects.toThrow(/0\.0, which is not under way/);
  });

  it('refuses a timer that does not wait where a step joins, and one that ends work twice', async () => {
    const spec = { ...policySpecByName('llada.cpp'), refresh: { kind: 'cpu', late: 'block' } } as const;
    const timer = (completed: (plan: StepPlan) => string[]): StepTimer => ({
      name: 'odd',
      time: (plan) => ({ startMs: 0, endMs: 1, completed: completed(plan) }),
    });
    const sides = ({ passes }: StepPlan) => passes.slice(1).map(({ id }) => id);
    const run = (completed: (plan: StepPlan) => string[]) =>
      decode(options({ policy: composePolicy(spec), timer: timer(completed) }));
    await expect(run(() => [])).rejects.toThrow(/timer odd ends step \d+ without waiting for pass \d+\.1/);
    await expect(run(() => [])).rejects.toThrow(CheckError);
    await expect(run((plan) => [...sides(plan), ...sides(plan)])).rejects.toThrow(/which is not under way/);
    const { steps } = await run(sides);
    expect(steps.some(({ plan }) => plan.joins === true)).toBe(true);
  });

  it('refuses a policy that leaves a mask', async () => {
    const policy = policyByName('llada');
    const idle = { ...policy, plan: () => null };
    await expect(decode(options({ policy: idle }))).rejects.toThrow(
      /law D4: llada left a mask in its output/,
    );
  });

  it('may take as many steps as its budget, and fills the context to its last position', async () => {
    const policy = policyByName('llada');
    const exact = { ...policy, stepBudget: () => 64 };
    const config = { ...TOY_CONFIG, contextLength: 69 };
    const engine = Object.assign(new ToyEngine({ seed: 3 }), { config });
    expect((await decode(options({ policy: exact, engine }))).steps).toHaveLength(64);
    const short = { ...policy, stepBudget: () => 63 };
    await expect(decode(options({ policy: short }))).rejects.toThrow(/budget of 63 steps/);
  });

  it('hands over what the engine said of every pass, before it is scored', async () => {
    const engine = new ToyEngine({ seed: 3 });
    const seen: string[] = [];
    const { steps } = await decode(
      options({
        engine,
        onLogits: (pass, logits) => seen.push(`${pass.id} ${logits.length}`),
        onStep: ({ plan }) => seen.push(`step ${plan.step}`),
      }),
    );
    const passes = steps.flatMap(({ plan }) => [
      ...plan.passes.map(({ id, logits }) => `${id} ${logits.length * TOY_CONFIG.vocab}`),
      `step ${plan.step}`,
    ]);
    expect(seen).toEqual(passes);
  });

  it('reports visible tokens of the answer by position, token and confidence', async () => {
    const { canvas, remainingVisible, tokens } = await decode(options({ policy: policyByName('mbsd-sts') }));
    expect(remainingVisible.length).toBeGreaterThan(0);
    for (const { position, token, confidence } of remainingVisible) {
      expect(canvas.positions[position]).toMatchObject({ state: 'V', token, confidence });
      expect(tokens[position - 5]).toBe(token);
    }
  });

  it('refuses an engine that returns other rows than asked for', async () => {
    const engine = new ToyEngine({ seed: 1 });
    engine.run = () => Promise.resolve({ logits: new Float32Array(3) });
    await expect(decode(options({ engine }))).rejects.toThrow(/returned 3 logits/);
  });

  it.each([
    [{ ...TOY_CONFIG, maskId: null }, /does not say which token is the mask/],
    [{ ...TOY_CONFIG, contextLength: 68 }, /exceeds the context/],
  ])('refuses models that do not fit', async (config, message) => {
    const engine = Object.assign(new ToyEngine({ seed: 1 }), { config });
    await expect(decode(options({ engine }))).rejects.toThrow(message);
    await expect(decode(options({ engine }))).rejects.toThrow(UsageError);
  });
});
