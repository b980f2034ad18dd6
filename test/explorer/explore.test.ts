import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadModel, type Model } from '../../experiments/library/model.js';
import { policy } from '../../experiments/library/policy.js';
import { commandArguments, commandLine } from '../../explorer/setting/command.js';
import { policyControls } from '../../explorer/setting/controls.js';
import { differences, parseSetting, type SettingInput } from '../../explorer/setting/setting.js';
import { catalogueOf, describeSetting } from '../../explorer/worker/catalogue.js';
import { explore } from '../../explorer/worker/explore.js';
import { busyShares } from '../../explorer/worker/lanes.js';
import type { Reply } from '../../explorer/worker/messages.js';
import { Server } from '../../explorer/worker/server.js';
import type { StepView } from '../../explorer/worker/view.js';
import { ALL_POLICY_SPECS } from '../../src/decode/policies.js';
import { policySpecSchema } from '../../src/decode/spec-schema.js';
import { UsageError } from '../../src/errors.js';
import { cli } from '../support/run-cli.js';

let model: Model;
beforeAll(async () => {
  model = await loadModel('tiny-llada');
});
afterAll(() => model.close());

async function steps(input: SettingInput) {
  const seen: StepView[] = [];
  const outcome = await explore(model, parseSetting(input), (step) => seen.push(step));
  return { seen, outcome };
}

describe('a setting', () => {
  it.each<[string, SettingInput]>([
    ['the first screen', { genLength: 64 }],
    [
      'options, numbers and a text of its own',
      {
        prompt: "A sort it's 'cat' ; 9",
        policy: 'threshold',
        options: { 'commit.tau': 0.8, 'sampling.kind': 'gumbel', 'sampling.temperature': 0 },
        blockLength: 16,
        genLength: 32,
        costModel: 'dream-7b',
        quant: 'f16',
        profile: 'sm8650',
        stack: 'llada.cpp',
        memory: 'paging',
        numbers: { 'profile.npu.dmaRate': 30, 'stack.cpuThreads': 2 },
      },
    ],
    ['another reading of residents', { genLength: 32, problem: 5, placement: 'alternating' }],
  ])('decodes as its command line does: %s', async (_, input) => {
    const { outcome, seen } = await steps(input);
    const { code, stdout, stderr } = await cli([...commandArguments(parseSetting(input)), '--json']);
    expect(code, stderr).toBe(0);
    const told = JSON.parse(stdout);
    expect(outcome.tokens).toEqual(told.tokens);
    expect(outcome.seconds).toBe(told.machine.simulatedS);
    expect(outcome.machine).toBe(told.machine.name);
    expect(outcome.text).toBe(told.text);
    expect(outcome.forwards).toBe(told.nfe);
    expect(outcome.right ?? undefined).toBe(told.correct);
    expect(seen.length).toBe(told.steps);
    expect(seen.reduce((sum, { machine }) => sum + machine.ms, 0) / 1000).toBeCloseTo(outcome.seconds, 9);
    expect(seen.reduce((sum, { machine }) => sum + machine.joules, 0)).toBeCloseTo(outcome.joules, 9);
  });

  it('is written for a shell', () => {
    const line = commandLine(parseSetting({ prompt: "it's", options: { 'commit.visible': 0.8 } }));
    expect(line).toBe(
      `npx dllm-npu generate --prompt 'it'\\''s' --policy llada.cpp --option commit.visible=0.8 --gen-length 128 --machine sm8750`,
    );
  });

  it('is held by a link as what differs', () => {
    const setting = parseSetting({ policy: 'mbsd', numbers: { 'stack.cpuThreads': 2 } });
    expect(differences(setting)).toEqual({ policy: 'mbsd', numbers: { 'stack.cpuThreads': 2 } });
    expect(parseSetting(differences(setting))).toEqual(setting);
  });

  it('is refused by name', () => {
    expect(() => parseSetting({ polcy: 'mbsd' })).toThrow(UsageError);
    expect(() => describeSetting(model, { policy: 'mbds' })).toThrow(/mbsd/);
    expect(() => describeSetting(model, { genLength: 33 })).toThrow(/multiple/);
    expect(() => describeSetting(model, { numbers: { 'stack.cpuThread': 2 } })).toThrow(/cpuThreads/);
  });
});

describe('a step', () => {
  it('shows state, alternatives and the machine', async () => {
    const { seen, outcome } = await steps({ genLength: 64 });
    const last = seen.at(-1)!;
    expect(last.positions.map(({ token }) => token)).toEqual(outcome.tokens);
    for (const { positions, machine, rows } of seen) {
      expect(positions).toHaveLength(64);
      for (const { alternatives } of positions) {
        const shares = alternatives.map(({ probability }) => probability);
        expect(shares).toEqual([...shares].sort((a, b) => b - a));
        expect(shares.reduce((sum, share) => sum + share, 0)).toBeLessThanOrEqual(1 + 1e-6);
      }
      expect(machine.lanes.length).toBeGreaterThan(3);
      for (const { track, busy } of machine.lanes) {
        if (track === 'staging' || track === 'refresh' || track === 'cpu') continue;
        const shown = (busy.reduce((sum, share) => sum + share, 0) / busy.length) * machine.ms;
        const told = machine.breakdown.utilization[track] * machine.ms;
        expect(Math.abs(shown - told), `${track} of a step of ${rows} rows`).toBeLessThan(0.02 * machine.ms);
      }
    }
    // A token of a greedy decode is the best of its alternatives when it is committed.
    const committed = seen.flatMap(({ positions }) => positions.filter(({ change }) => change === 'commit'));
    expect(committed.length).toBeGreaterThan(20);
    expect(committed.filter(({ token, alternatives }) => token !== alternatives[0]?.token)).toEqual([]);
  });

  it('spreads a span over the slices it covers', () => {
    const span = {
      track: 'dma',
      name: 'x',
      category: 'q',
      layer: 0,
      step: 0,
      startMs: 1,
      endMs: 2,
      busyMs: 0.5,
    } as const;
    const shares = busyShares([span], 0, 4);
    expect(shares.slice(0, 60).every((share) => share === 0)).toBe(true);
    expect(shares.slice(60, 120).every((share) => share === 0.5)).toBe(true);
    expect(shares.slice(121).every((share) => share === 0)).toBe(true);
  });
});

describe('the form', () => {
  it('has every option of every policy, by a path that changes it', () => {
    for (const named of ALL_POLICY_SPECS) {
      const spec = policy(named);
      for (const { path, value } of policyControls(spec)) {
        expect(policy(named, { [path]: value } as never), path).toMatchObject({
          ...spec,
          name: expect.any(String),
        });
      }
    }
  });

  it('leaves out no option of the schema', () => {
    const shown = new Set(policyControls(policy('llada.cpp')).map(({ path }) => path.split('.')[0]));
    const all = Object.keys(policySpecSchema.shape).filter(
      (key) => !['name', 'description', 'source'].includes(key),
    );
    expect([...shown].sort()).toEqual(all.sort());
  });

  it('offers names that can be taken', () => {
    const catalogue = catalogueOf(model);
    for (const { name } of catalogue.policies)
      expect(() => describeSetting(model, { policy: name })).not.toThrow();
    for (const { name: profile } of catalogue.chips) describeSetting(model, { profile });
    for (const { name: stack } of catalogue.stacks) describeSetting(model, { stack });
    const { numbers } = describeSetting(model, {});
    expect(
      numbers.filter(({ range, value }) => range !== null && (value < range[0] || value > range[1])),
    ).toEqual([]);
  });
});

describe('the worker', () => {
  it('keeps no tensor of a decode', async () => {
    const counts = [];
    for (const problem of [1, 2]) {
      await steps({ problem, genLength: 32 });
      counts.push(tf.memory().numTensors);
    }
    expect(counts[1]).toBe(counts[0]);
  });

  it('answers in turn, and ends what was cancelled', async () => {
    const replies: Reply[] = [];
    const server = new Server(
      async () => {},
      (reply) => replies.push(reply),
    );
    await server.take({ kind: 'open', files: new ArrayBuffer(0) });
    const setting = parseSetting({ genLength: 32 });
    const first = server.take({ kind: 'decode', id: 1, setting });
    const second = server.take({ kind: 'decode', id: 2, setting });
    const third = server.take({ kind: 'decode', id: 3, setting: parseSetting({ policy: 'nobody' }) });
    void server.take({ kind: 'cancel', id: 1 });
    await Promise.all([first, second, third]);
    const ends = replies.filter(({ kind }) => kind === 'failed' || kind === 'done');
    expect(ends).toMatchObject([
      { kind: 'failed', id: 1, cancelled: true },
      { kind: 'done', id: 2 },
      { kind: 'failed', id: 3, cancelled: false, message: expect.stringContaining('nobody') },
    ]);
    expect(replies[0].kind).toBe('ready');
  });
});
