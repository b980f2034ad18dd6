import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decode, loadModel, type Model, machine, policy, UsageError } from '../../index.js';
import { composePolicy } from '../../index.policies.js';
import { loadProfile, resolvePreset } from '../../index.sim.js';
import { checkTrace, replayTrace } from '../../index.trace.js';
import { project } from '../../src/util/project-root.js';
import { cli } from '../support/run-cli.js';

const PROMPT = 'A flip 2 4 8 B sort owl elk ant';
const CHIP = { shapes: 'llada-8b' } as const;

let model: Model;
beforeAll(async () => {
  model = await loadModel('tiny-llada');
});
afterAll(() => model.close());

async function all<T>(steps: AsyncIterable<T>): Promise<T[]> {
  const seen: T[] = [];
  for await (const step of steps) seen.push(step);
  return seen;
}

describe('decode', () => {
  it('gives steps, then what the command gives', async () => {
    const run = decode({ model, prompt: PROMPT, timer: machine(CHIP) });
    const steps = await all(run);
    const answer = await run.result;
    const { stdout } = await cli(['generate', PROMPT, '--machine', 'sm8750', '--json']);
    const printed = JSON.parse(stdout) as Record<string, unknown>;
    expect(answer).toMatchObject({ text: printed.text, tokens: printed.tokens, forwards: printed.nfe });
    expect(printed.machine).toMatchObject({ simulatedS: answer.seconds });
    expect(steps).toHaveLength(printed.steps as number);
    expect(new Set(steps.flatMap(({ committed }) => committed.map(({ position }) => position))).size).toBe(
      128,
    );
    const text = steps
      .at(-1)
      ?.canvas.positions.slice(-128)
      .map(({ token }) => token);
    expect(text).toEqual(answer.tokens);
  });

  it('starts at once, and shows all its steps to every loop, early or late', async () => {
    const run = decode({ model, prompt: PROMPT, policy: 'threshold' });
    const [early, answer] = await Promise.all([all(run), run.result]);
    expect(early).toHaveLength(answer.decode.steps.length);
    expect(await all(run)).toEqual(early);
    for await (const step of run) {
      expect(step.ms).toBeNull();
      expect(step.bound).toBeNull();
      break;
    }
    expect(answer.seconds).toBeNull();
  });

  it('runs several decodes of one model and one chip at the same time', async () => {
    const timer = machine(CHIP);
    const request = { model, timer, prompt: PROMPT, genLength: 64 } as const;
    const alone = await decode(request).result;
    const together = await Promise.all(
      ['llada.cpp', 'threshold', 'llada.cpp'].map((name) => decode({ ...request, policy: name }).result),
    );
    expect(together[0]).toMatchObject({ tokens: alone.tokens, seconds: alone.seconds });
    expect(together[2]).toMatchObject({ tokens: alone.tokens, seconds: alone.seconds });
    expect(together[1].seconds).not.toBe(alone.seconds);
  });

  it('leaves a trace that keeps the laws and can be timed again', async () => {
    const { trace, seconds } = await decode({ model, prompt: PROMPT, timer: machine(CHIP) }).result;
    expect(checkTrace(trace)).toEqual([]);
    const again = await machine(CHIP).open();
    expect(replayTrace(trace, again)).toMatchObject({ totalMs: seconds! * 1000, divergesAt: null });
  });

  it('takes token ids, a policy of your own and a clock of your own', async () => {
    const ids = model.tokenizer!.encode(PROMPT);
    let now = 0;
    const timer = {
      name: 'one second a step',
      time: () => {
        now += 1000;
        return { startMs: now - 1000, endMs: now, completed: [] };
      },
    };
    const spec = policy('threshold', { commit: { tau: 0.7 }, blockLength: 16 });
    const { seconds, decode: result } = await decode({
      model,
      prompt: ids,
      genLength: 32,
      policy: spec,
      timer,
    }).result;
    expect(seconds).toBe(result.steps.length);
    expect(result.tokens).toHaveLength(32);
  });

  it('stops when the signal says so, and the engine can be used again', async () => {
    const controller = new AbortController();
    const run = decode({ model, prompt: PROMPT, policy: 'llada', signal: controller.signal });
    let steps = 0;
    const loop = (async () => {
      for await (const _ of run) if (++steps === 3) controller.abort(new Error('enough'));
    })();
    await expect(loop).rejects.toThrow('enough');
    await expect(run.result).rejects.toThrow('enough');
    expect(steps).toBeLessThan(10);
    expect((await decode({ model, prompt: PROMPT }).result).text).toMatch(/^item A/);
  });

  it('refuses what cannot be decoded, in the result and in the loop', async () => {
    const wrong = [
      decode({ model, prompt: '', policy: 'lada.cpp' }),
      decode({ model, prompt: [model.config.vocab] }),
      decode({ model, prompt: PROMPT, genLength: 100 }),
      decode({ model: { ...model }, prompt: PROMPT }),
      // As a program without types could write it.
      decode({ model, prompt: PROMPT, engine: 'tfj' as 'tfjs' }),
      decode(Object.assign({ model, prompt: PROMPT }, { genlength: 32 })),
    ];
    const messages = [
      /nearest|llada\.cpp/,
      /outside the vocabulary/,
      /not a multiple/,
      /loadModel/,
      /tfjs/,
      /genLength/,
    ];
    for (const [index, run] of wrong.entries()) {
      await expect(run.result).rejects.toThrow(messages[index]);
      await expect(run.result).rejects.toBeInstanceOf(UsageError);
      await expect(all(run)).rejects.toThrow(messages[index]);
    }
  });

  it('lets a decode end after the model was closed, and starts no other', async () => {
    const closing = await loadModel('tiny-llada');
    const run = decode({ model: closing, prompt: PROMPT, policy: 'threshold' });
    await closing.close();
    await closing.close();
    expect((await run.result).tokens).toHaveLength(128);
    await expect(decode({ model: closing, prompt: PROMPT }).result).rejects.toThrow('was closed');
  });
});

describe('policy', () => {
  it('changes options as in the spec or by path', () => {
    const nested = policy('llada.cpp', { commit: { visible: 0.8 } });
    expect(nested.commit).toMatchObject({ kind: 'staged', visible: 0.8 });
    expect(policy('llada.cpp', { 'commit.visible': 0.8 })).toEqual(nested);
    expect(policy(nested)).toEqual(nested);
    expect(policy('llada.cpp', { window: { lookahead: { trigger: 2 } } }).window).toMatchObject({
      lookahead: { trigger: 2 },
    });
    expect(composePolicy(nested).spec).toEqual(nested);
  });

  it('refuses options that no rule has', () => {
    expect(() => policy('llada.cpp', { 'commit.visibel': 0.8 })).toThrow(UsageError);
    expect(() => policy('lada.cpp')).toThrow(/llada\.cpp/);
  });
});

describe('machine', () => {
  it('times the shapes it is given, else those of the model', async () => {
    const own = await machine().open(model.config);
    expect(own.options.shapes.name).toBe('tiny-llada');
    expect((await machine({ shapes: 'dream-7b' }).open(model.config)).options.shapes.name).toBe('dream-7b');
    expect((await machine({ shapes: 'tiny-llada' }).open()).options.shapes).toEqual(model.config);
    expect((await machine({ shapes: resolvePreset('llada-8b') }).open()).options.shapes.name).toBe(
      'llada-8b',
    );
    await expect(machine().open()).rejects.toThrow('give shapes');
  });

  it('takes profile and stack by name, by path, and the profile as an object', async () => {
    const { root } = project();
    const names = ['sm8650', join(root, 'sim/hardware/profiles/sm8650.json'), loadProfile('sm8650')].map(
      (profile) => machine({ profile }).name,
    );
    expect(names).toEqual(['sm8650/llada.cpp', 'sm8650/llada.cpp', 'sm8650/llada.cpp']);
    expect(machine({ stack: join(root, 'sim/stacks/cpu.json') }).name).toBe('sm8750/cpu');
  });

  it('takes numbers with and without unit', async () => {
    const ms = async (setting: Parameters<typeof machine>[0]) => {
      const timer = machine({ ...CHIP, ...setting });
      const { seconds } = await decode({ model, prompt: PROMPT, genLength: 32, timer }).result;
      return seconds!;
    };
    const usual = await ms({});
    expect(await ms({ set: { 'profile.npu.dmaRate': '20 GB/s' } })).toBeGreaterThan(usual);
    expect(await ms({ set: { 'stack.cpuThreads': 1 } })).toBeGreaterThan(usual);
  });

  it('refuses at once what is unknown', () => {
    expect(() => machine({ profile: 'sm8751' })).toThrow(/sm8750/);
    expect(() => machine({ shapes: 'llada-8' })).toThrow(/llada-8b/);
    expect(() => machine(Object.assign({ stack: 'llada.cpp' }, { profil: 'sm8750' }))).toThrow(/profile/);
    expect(() => machine({ set: { 'stack.cpuThread': 4 } })).toThrow(/stack\.cpuThreads/);
  });
});
