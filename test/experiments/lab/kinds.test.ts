import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { PROMPT_TOKENS } from '../../../experiments/lab/deciders/synthetic/decider.js';
import { processPath } from '../../../experiments/lab/deciders/synthetic/profiles.js';
import { decideKind } from '../../../experiments/lab/kinds/decide.js';
import { decodeKind } from '../../../experiments/lab/kinds/decode.js';
import { chipInputs, decisionInputs } from '../../../experiments/lab/kinds/inputs.js';
import { questions, sameDecisions } from '../../../experiments/lab/kinds/questions.js';
import { stepKind } from '../../../experiments/lab/kinds/step.js';
import { verifyKind } from '../../../experiments/lab/kinds/verify.js';
import { Lab } from '../../../experiments/lab/lab.js';
import {
  checkChip,
  deciderIdentity,
  openChip,
  openDecider,
  openMachine,
  openPolicy,
  openSpec,
  reproducibility,
} from '../../../experiments/lab/open.js';
import {
  casesSchema,
  chipSchema,
  type DeciderSetup,
  deciderSchema,
  methodSchema,
  setupSchema,
} from '../../../experiments/lab/setup.js';
import { energyOf } from '../../../sim/energy/energy.js';
import { loadProfile } from '../../../sim/hardware/load-profile.js';
import { stackByName, stackHash } from '../../../sim/stacks/registry.js';
import { UsageError } from '../../../src/errors.js';
import { fileSha256 } from '../../../src/model/load.js';
import { resolvePreset } from '../../../src/model/presets.js';
import { mean } from '../../../src/score/statistics/samples.js';
import { project } from '../../../src/util/project-root.js';
import { VOCAB, writeCheckpoint } from '../../support/checkpoint.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { randomWeights, tinyConfig } from '../../support/tiny-model.js';

const SMALL = { costModel: 'tinyllama-1.1b', workload: 'synthetic', policy: 'threshold', genLength: 32 };
const lab = new Lab();
afterAll(() => lab.close());

describe('a step', () => {
  const config = (changes = {}) =>
    stepKind.config.parse({ costModel: 'tinyllama-1.1b', rows: 8, ...changes });

  it('is the second of two equal ones, with what was busy, what was critical and what each part took', async () => {
    const { metrics } = await stepKind.run(config({ costModel: 'llada-8b', context: 5, logitsRows: 3 }), lab);
    const machine = openMachine(chipSchema.parse({}));
    const shape = {
      ...{ rows: 8, kvSets: [{ name: 'prefix', length: 5 }], logitsRows: 3, masked: false },
    };
    const cold = machine.timePass(shape);
    const timing = machine.timePass(shape);
    const { ms, utilization, critical, parts } = machine.stepBreakdown();
    const prefixed = (prefix: string, of: object) =>
      Object.fromEntries(Object.entries(of).map(([name, value]) => [`${prefix}.${name}`, value]));
    expect(metrics).toEqual({
      ...{ ms, msPerRow: ms / 8, joules: energyOf([timing], machine.options.profile).joules },
      ...prefixed('busyShare', utilization),
      ...prefixed('criticalMs', critical),
      ...prefixed('partMs', Object.fromEntries(parts.map(({ name, ms: taken }) => [name, taken]))),
      ...timing.counters,
    });
    expect(ms).toBeCloseTo(timing.endMs - timing.startMs, 9);
    expect(cold.endMs - cold.startMs).not.toBe(ms);
  });

  it('is what a worker answers', async () => {
    const { default: work } = await import('../../../experiments/lab/worker.js');
    const answer = await work({ kind: 'step', config: config() });
    expect(answer).toMatchObject({ outcome: 'done', result: { metrics: { ms: expect.any(Number) } } });
    expect(await work({ kind: 'stap', config: {} })).toMatchObject({
      outcome: 'refused',
      reason: expect.stringMatching(/did you mean step/),
    });
  });

  it('reads no cache where it has no context', async () => {
    const ms = async (context: number) => Number((await stepKind.run(config({ context }), lab)).metrics.ms);
    const machine = openMachine(chipSchema.parse({ costModel: 'tinyllama-1.1b' }));
    for (let i = 0; i < 2; i++) machine.timePass({ rows: 8, kvSets: [], logitsRows: 8, masked: false });
    expect(await ms(0)).toBe(machine.stepBreakdown().ms);
    expect(await ms(1)).toBeGreaterThan(await ms(0));
  });
});

describe('cases on a machine', () => {
  const config = setupSchema.parse({ ...SMALL, cases: 3, firstCase: 2, seed: 4 });

  it('are decided, timed and summed, each from its own steps', async () => {
    const { metrics, detail } = await decodeKind.run(config, lab);
    const { cases, engine, sameBits } = detail as {
      cases: Record<string, unknown>[];
      engine: null;
      sameBits: null;
    };
    expect([engine, sameBits]).toEqual([null, null]);
    expect(cases.map((each) => each.case)).toEqual([2, 3, 4]);
    const decider = await openDecider(config, 4);
    const policy = openPolicy(openSpec(config));
    const busy: Record<string, number> = {};
    for (const one of cases) {
      const machine = openMachine(config);
      const decided = await decider.decode(one.case as number, { policy, genLength: 32 });
      const timings = decided.steps.map(({ plan }) => machine.time(plan));
      const sum = (pick: (at: number) => Record<string, number>) => {
        const total: Record<string, number> = {};
        timings.forEach((_, at) => {
          for (const [name, value] of Object.entries(pick(at))) total[name] = (total[name] ?? 0) + value;
        });
        return total;
      };
      expect(one.tokens).toEqual(decided.tokens);
      expect(one.ms).toBe(timings.at(-1)?.endMs);
      expect(one.joules).toBe(energyOf(timings, machine.options.profile).joules);
      expect(one.busyMs).toEqual(sum((at) => timings[at].busyMs));
      expect(one.machineCounters).toEqual(sum((at) => timings[at].counters));
      for (const [name, ms] of Object.entries(one.busyMs as object)) busy[name] = (busy[name] ?? 0) + ms;
    }
    const of = (key: string) => cases.map((each) => each[key] as number);
    const seconds = of('ms').map((ms) => ms / 1000);
    expect(metrics).toMatchObject({
      ...{ seconds: mean(seconds), medianSeconds: [...seconds].sort((a, b) => a - b)[1], exactShare: null },
      ...{
        joules: mean(of('joules')),
        steps: mean(of('steps')),
        remainingVisible: mean(of('remainingVisible')),
      },
    });
    const total = of('ms').reduce((a, b) => a + b);
    for (const [name, ms] of Object.entries(busy))
      expect(metrics[`busyShare.${name}`], name).toBeCloseTo(ms / total, 12);
    expect(Object.keys(metrics).slice(0, 4)).toEqual(['seconds', 'medianSeconds', 'joules', 'exactShare']);
  });

  it('without one are the same, but for times', async () => {
    const { cases: _, costModel: __, ...same } = { ...SMALL, cases: 3 };
    const asked = decideKind.config.parse({ ...same, cases: 3, firstCase: 2, seed: 4 });
    const { metrics, detail } = await decideKind.run(asked, lab);
    const timed = await decodeKind.run(config, lab);
    type Detail = { engine: null; sameBits: null; cases: Record<string, unknown>[] };
    const {
      ms: _ms,
      joules: _j,
      busyMs: _b,
      machineCounters: _m,
      ...first
    } = (timed.detail as Detail).cases[0];
    expect((detail as Detail).cases[0]).toEqual(first);
    expect(detail).toMatchObject({ engine: null, sameBits: null });
    for (const [name, value] of Object.entries(metrics)) expect(timed.metrics[name], name).toBe(value);
    expect(Object.keys(metrics)).toHaveLength(8);
  });

  it.each([stepKind, decideKind, decodeKind, verifyKind])(
    '$name: what a list shows is measured',
    async (kind) => {
      expect(kind.main.length).toBeGreaterThan(0);
      if (kind === verifyKind) return;
      const asked = kind === decideKind ? { ...SMALL, costModel: undefined } : kind === stepKind ? {} : SMALL;
      const config_ = kind.config.parse(JSON.parse(JSON.stringify(asked)));
      const { metrics } = await kind.run(config_, lab);
      for (const name of kind.main) expect(metrics, name).toHaveProperty([name]);
    },
  );
});

describe('a verified run', () => {
  it('sums what all cases recomputed, and names the engine', async () => {
    const tiny = tinyConfig({
      ...{ vocab: VOCAB, hidden: 8, heads: 2, kvHeads: 2, headDim: 4, ffn: 8, layers: 1 },
    });
    const workload = await writeCheckpoint(tiny, randomWeights(tiny, 7));
    const config = { workload, policy: 'threshold', blockLength: 8, genLength: 16, cases: 2 };
    const run = async (changes: object) =>
      verifyKind.run(verifyKind.config.parse({ ...config, ...changes }), lab);
    const both = await run({});
    const [one, two] = [await run({ cases: 1 }), await run({ cases: 1, firstCase: 1 })];
    expect(both.metrics.rows).toBe(Number(one.metrics.rows) + Number(two.metrics.rows));
    expect(both.metrics.mismatches).toBe(0);
    const errors = [one, two].map(({ metrics }) => Number(metrics.maxConfidenceError));
    expect(both.metrics.maxConfidenceError).toBe(Math.max(...errors));
    expect(Object.keys(both.metrics)).toEqual(['rows', 'mismatches', 'maxConfidenceError']);
    expect(both.detail).toEqual({ engine: 'tfjs-wasm', sameBits: 'on every machine' });
    const moved = await run({ policy: 'klass', cases: 1 });
    expect(moved.metrics.maxNatsError).toBeGreaterThanOrEqual(0);
    expect(moved.metrics.maxNatsError).toBeLessThan(1e-3);
    const some = await run({ policy: 'klass', cases: 1, every: 2 });
    expect(some.metrics.rows).toBeLessThan(Number(moved.metrics.rows));
    expect(some.metrics).not.toHaveProperty('maxNatsError');
  });
});

describe('files that a run depends on', () => {
  it('are those of its chip', () => {
    const own = join(temporaryDirectory(), 'stack.json');
    cpSync(join(project().root, 'sim', 'stacks', 'cpu.json'), own);
    const chip = chipSchema.parse({});
    expect(Object.keys(chipInputs(chip))).toEqual(['profile sm8750']);
    expect(Object.keys(chipInputs({ ...chip, stack: 'cpu', profile: 'sm8650' }))).toEqual(['profile sm8650']);
    const inputs = chipInputs({ ...chip, stack: own });
    expect(Object.keys(inputs)).toEqual([`stack ${own}`, 'profile sm8750']);
    expect(inputs[`stack ${own}`]).toBe(stackHash(own));
  });

  it('are refused with their names where they do not exist, each time', () => {
    const chip = chipSchema.parse({});
    for (let twice = 0; twice < 2; twice++)
      expect(() => chipInputs({ ...chip, stack: 'lada.cpp' })).toThrow(/did you mean llada\.cpp/);
    expect(() => chipInputs({ ...chip, costModel: 'llada-8' })).toThrow(/did you mean llada-8b/);
    expect(() => chipInputs({ ...chip, numbers: { 'profile.npu.dmaRate': '3 ms' } })).toThrow(UsageError);
    expect(() => checkChip({ ...chip, costModel: 'llada-8' })).toThrow(/did you mean llada-8b/);
  });

  it('are those of its decider, of its data and of its policy', async () => {
    const directory = temporaryDirectory();
    const [policy, data] = ['own.json', 'data.jsonl'].map((name) => join(directory, name));
    writeFileSync(
      policy,
      JSON.stringify({ ...openSpec(methodSchema.parse({ policy: 'threshold' })), name: 'own' }),
    );
    writeFileSync(data, '{"prompt": "a", "answer": "b"}\n');
    const inputs = (changes: object) =>
      decisionInputs({
        ...deciderSchema.parse({ workload: 'synthetic', ...changes }),
        ...methodSchema.parse(changes),
      });
    const process = { 'confidence process': await fileSha256(processPath()) };
    expect(await inputs({})).toEqual(process);
    expect(await inputs({ policy })).toEqual({ [`policy ${policy}`]: await fileSha256(policy), ...process });
    expect(await inputs({ data })).toEqual({ [`data ${data}`]: await fileSha256(data), ...process });
    await expect(inputs({ policy: 'treshold' })).rejects.toThrow(/did you mean threshold/);
    await expect(inputs({ options: { 'commit.tua': 1 } })).rejects.toThrow(/unknown key "tua" in commit/);
  });
});

describe('files of a kind', () => {
  it('are those of its decisions, and of its chip where it is timed', async () => {
    const asked = { workload: 'synthetic', policy: 'threshold' };
    const names = async (kind: typeof decideKind) =>
      Object.keys(await kind.inputs(kind.config.parse(asked) as never));
    expect(await names(decideKind)).toEqual(['confidence process']);
    for (const kind of [decodeKind, verifyKind])
      expect(await names(kind), kind.name).toEqual(['profile sm8750', 'confidence process']);
  });
});

describe('what is asked', () => {
  const config = setupSchema.parse({ ...SMALL, seed: 9, firstCase: 5, cases: 2 });

  it('is every case, on the machine as clock and as costs, or without one', () => {
    const chip = chipSchema.parse({});
    const common = { decider: config, seed: 9, genLength: 32, spec: openSpec(config), asked: config };
    expect(questions(config, chip)).toEqual([
      { ...common, index: 5, clock: chip, costs: chip },
      { ...common, index: 6, clock: chip, costs: chip },
    ]);
    expect(questions(config, null).map(({ clock, costs }) => [clock, costs])).toEqual([
      [null, null],
      [null, null],
    ]);
  });

  it('is the same for two runs that agree in all that decides', () => {
    const other = {
      ...{ policy: 'mbsd', options: { a: 1 }, blockLength: 8, seed: 1, firstCase: 0, cases: 3 },
      genLength: 64,
    };
    const own = sameDecisions(config);
    expect(sameDecisions({ ...config, memory: 'unlimited', quant: 'f16' } as typeof config)).toBe(own);
    for (const [key, value] of Object.entries(other))
      expect(sameDecisions({ ...config, [key]: value }), key).not.toBe(own);
  });

  it('tells deciders apart by what has an effect', () => {
    const setup = (changes: Partial<DeciderSetup>): DeciderSetup => deciderSchema.parse(changes);
    expect(deciderIdentity(setup({ workload: 'synthetic', engine: 'ort', seed: 1 } as never))).toEqual({
      workload: 'synthetic',
    });
    expect(deciderIdentity(setup({ workload: 'trace:x', threads: 4 }))).toEqual({ workload: 'trace:x' });
    const asked = {
      ...{ data: 'd', scorer: 's', template: 't', maskToken: 'm', maskShare: 0.5, maskDraws: 2 },
    };
    const all = { ...asked, backend: 'cpu', threads: 3, compute: 'int8', device: 'htp0' } as const;
    const identity = (engine: DeciderSetup['engine']) =>
      deciderIdentity(setup({ workload: 'm', engine, ...all }));
    expect(identity('tfjs')).toEqual({ workload: 'm', engine: 'tfjs', ...asked, backend: 'cpu' });
    expect(identity('ort')).toEqual({ workload: 'm', engine: 'ort', ...asked, threads: 3, compute: 'int8' });
    expect(identity('ggml')).toEqual({ workload: 'm', engine: 'ggml', ...asked, threads: 3, device: 'htp0' });
    expect(identity('npu-numerics')).toEqual({ workload: 'm', engine: 'npu-numerics', ...asked });
  });

  it('says what may be expected of its bits', () => {
    const of = (changes: Partial<DeciderSetup>, name: string | null = 'x') =>
      reproducibility(deciderSchema.parse(changes), name);
    expect(of({ engine: 'ort' }, null)).toBeNull();
    expect(of({ engine: 'tfjs' })).toBe('on every machine');
    expect(of({ engine: 'tfjs', backend: 'node' })).toBe('on one machine');
    expect(of({ engine: 'ort' })).toBe('on one machine');
  });
});

describe('what is opened', () => {
  it('is a chip with its numbers, and a machine of fewer layers or other shapes', () => {
    const numbers = { 'profile.npu.dmaRate': '10 GB/s', 'stack.headSpeedup': 4 };
    const chip = chipSchema.parse({ numbers });
    const { profile, stack } = openChip(chip);
    expect(profile.npu.dmaRate).not.toBe(loadProfile('sm8750').npu.dmaRate);
    expect(stack).not.toEqual(stackByName('llada.cpp'));
    expect(openChip({ profile: 'sm8650', stack: 'cpu', numbers: {} })).toEqual({
      ...{ profile: loadProfile('sm8650'), stack: stackByName('cpu') },
    });
    const plain = chipSchema.parse({ memory: 'unlimited', placement: 'alternating', quant: 'f16' });
    const shapes = resolvePreset('dream-7b');
    expect(openMachine(plain).options).toMatchObject({ memory: 'unlimited', placement: 'alternating' });
    expect(openMachine(plain).options.shapes).toBe(resolvePreset('llada-8b'));
    expect(openMachine(plain, { shapes }).options.shapes).toBe(shapes);
    expect(openMachine(plain, { shapes, layers: 2 }).options.shapes).toEqual({ ...shapes, layers: 2 });
    const precision = openMachine(chipSchema.parse({ quant: 'q8_0' })).options.quant;
    expect(openMachine(plain, { precision }).options.quant).toEqual(precision);
    expect(openMachine(plain).options.quant).not.toEqual(precision);
    const shape = { rows: 1, kvSets: [], logitsRows: 1, masked: false };
    const recorded = openMachine(chipSchema.parse({ costModel: 'tinyllama-1.1b' }), { record: true });
    recorded.timePass(shape);
    expect(JSON.stringify(recorded.options)).toContain('record');
  });

  it('is a method with its block length, and the changes over it', () => {
    const spec = openSpec(
      methodSchema.parse({ policy: 'threshold', blockLength: 8, options: { 'commit.tau': 0.5 } }),
    );
    expect([spec.blockLength, spec.commit]).toMatchObject([8, { tau: 0.5 }]);
    expect(openSpec(methodSchema.parse({ policy: 'threshold' })).blockLength).toBe(32);
  });

  it('is refused where it makes no sense', async () => {
    const open = (setup: Partial<DeciderSetup>) => openDecider(setup, 1);
    await expect(open({ workload: 'synthetic', data: 'x' })).rejects.toThrow(
      'synthetic answers no questions of x: take a model',
    );
    await expect(open({ workload: 'trace:y', data: 'x' })).rejects.toThrow(
      'trace:y answers no questions of x: take a model',
    );
    await expect(open({ workload: 'tiny-llada:hard', data: 'x' })).rejects.toThrow(
      'tiny-llada:hard has its own problems: ask the questions of x of tiny-llada',
    );
    await expect(open({ maskShare: 0.5 })).rejects.toThrow('maskShare masks the texts of a file: give data');
    await expect(open({ workload: 'tiny-lada' })).rejects.toThrow(/did you mean tiny-llada/);
    await expect(open({ workload: 'synthetic:paper,prompts=3' })).rejects.toThrow(
      'unknown option "prompts=3" of the synthetic workload: prompt=TOKENS is the only one',
    );
  });

  it('has its defaults from the schemas', () => {
    expect(casesSchema.parse({})).toEqual({ seed: 1, firstCase: 0, cases: 1, genLength: 128 });
    expect(PROMPT_TOKENS).toBe(80);
  });
});
