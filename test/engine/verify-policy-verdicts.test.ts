import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LawContext, Violation } from '../../src/decode/laws/law.js';
import { composePolicy } from '../../src/decode/method/compose.js';
import type { DecodeCounters } from '../../src/decode/method/counters.js';
import { decode } from '../../src/decode/method/session.js';
import { techniquesOf, withoutLossless } from '../../src/decode/method/techniques.js';
import { lawsGivenUp } from '../../src/decode/parts.js';
import { policySpecByName } from '../../src/decode/policies.js';
import { type PolicySpec, type PolicySpecInput, parsePolicySpec } from '../../src/decode/spec.js';
import type { Engine } from '../../src/engine/engine.js';
import { useBackend } from '../../src/engine/tfjs/backend.js';
import { createTfjsEngine } from '../../src/engine/tfjs/engine.js';
import { type LoadedWeights, loadWeightTensors } from '../../src/engine/tfjs/weight-tensors.js';
import { randomWeights, tinyConfig } from '../support/tiny-model.js';

/** What each half of the proof says; the other half has nothing to say. */
const said = vi.hoisted(() => ({
  laws: [] as unknown[],
  /** What the laws were asked about. */
  contexts: [] as LawContext[],
  /** Policies that the model does not fit, and why, beside those that it really does not. */
  misfits: new Map<string, string>(),
  report: {
    rows: 1,
    mismatches: [] as unknown[],
    maxConfidenceError: 0,
    maxNatsError: null as number | null,
  },
}));
vi.mock('../../src/decode/laws/check.js', () => ({
  checkLaws: (context: LawContext) => {
    said.contexts.push(context);
    return said.laws;
  },
}));
vi.mock('../../src/decode/method/fits.js', async (load) => {
  const fits = await load<typeof import('../../src/decode/method/fits.js')>();
  const misfit: typeof fits.misfit = (spec, model) => said.misfits.get(spec.name) ?? fits.misfit(spec, model);
  return { ...fits, misfit };
});
vi.mock('../../src/engine/verify/verify.js', () => ({ verifySteps: () => said.report }));
const { verifyPolicy } = await import('../../src/engine/verify/verify-policy.js');

/** Small: what it says matters little here. */
const config = tinyConfig({ hidden: 16, heads: 2, kvHeads: 2, ffn: 16 });

describe('verdicts of verifyPolicy', () => {
  let engine: Engine;
  let weights: LoadedWeights;

  beforeAll(async () => {
    await useBackend('wasm');
    const source = randomWeights(config, 7);
    engine = await createTfjsEngine(config, source, { backend: 'wasm' });
    weights = await loadWeightTensors(config, source);
  });
  beforeEach(() => {
    said.laws = [];
    said.contexts = [];
    said.misfits.clear();
    said.report = { rows: 1, mismatches: [], maxConfidenceError: 0, maxNatsError: null };
  });
  afterAll(() => {
    engine.dispose();
    weights.dispose();
  });

  const verify = (spec: PolicySpecInput, other: Engine = engine, genLength = 16) =>
    verifyPolicy({
      engine: other,
      weights,
      spec: parsePolicySpec(spec),
      problems: [{ index: 3, promptIds: [0, 10, 11, 12, 13, 4] }],
      genLength,
    });
  const exact = { ...policySpecByName('exact-speculation'), blockLength: 8 };

  const decodes = async (spec: PolicySpecInput | null, prompts: readonly (readonly number[])[]) => {
    const counters: DecodeCounters[] = [];
    for (const promptIds of prompts) {
      const policy = composePolicy(spec ?? exact);
      counters.push((await decode({ policy, engine, promptIds, genLength: 16 })).counters);
    }
    return counters;
  };

  /** Logits of drafted forwards are not those of the method. */
  const wrong = (): Engine => ({
    name: 'wrong',
    config,
    retain: (live) => engine.retain(live),
    readKv: (ref) => engine.readKv(ref),
    dispose: () => {},
    run: async (pass) => {
      const { logits } = await engine.run(pass);
      if (typeof pass.visibility === 'string') return { logits };
      const spoiled = logits.slice();
      for (let row = 0; row < pass.logits.length; row++) spoiled[row * config.vocab + 30] += 50;
      return { logits: spoiled };
    },
  });

  it('count a broken law', async () => {
    const violation: Violation = { law: 'D1', clause: 'stable-kv', step: 2, position: 1, message: 'changed' };
    said.laws = [violation];
    const report = await verify(exact);
    expect(report.mismatches).toBe(1);
    expect(report.laws.violations).toEqual([{ ...violation, problem: 3 }]);
  });

  it('count a prediction that does not follow from its context', async () => {
    const mismatch = { step: 1, passId: '1.0', position: 7, recorded: 2, recomputed: 3, logitMargin: 0.1 };
    said.report = { rows: 1, mismatches: [mismatch], maxConfidenceError: 0.5, maxNatsError: 0.25 };
    const report = await verify(exact);
    expect(report.mismatches).toBe(1);
    expect(report.specification).toMatchObject({
      mismatches: 1,
      maxConfidenceError: 0.5,
      maxNatsError: 0.25,
    });
    expect(report.first).toMatchObject({ against: 'specification', position: 7, token: 2, expected: 3 });
    expect(report.techniques.every(({ tokenExactWith }) => tokenExactWith !== 'specification')).toBe(true);
  });

  it('count tokens that the lossless twin does not have, and say that the technique diverges', async () => {
    const report = await verify(exact, wrong());
    expect(report.mismatches).toBe(report.twin?.mismatches);
    expect(report.mismatches).toBeGreaterThan(0);
    expect(report.first?.against).toBe('exact-speculation without speculation');
    const [first] = report.techniques;
    expect(first).toMatchObject({ technique: 'exact speculation', tokenExactWith: 'diverges' });
    expect(first.differing).toBe(report.mismatches);
  });

  it('sum what all problems did, and say how far they are', async () => {
    const spec = parsePolicySpec(exact);
    const prompts = [
      [0, 10, 11, 12, 13, 4],
      [0, 14, 6],
    ];
    const counters = await decodes(spec, prompts);
    const twins = await decodes(withoutLossless(spec), prompts);
    const sum = (of: readonly DecodeCounters[], key: keyof DecodeCounters): number =>
      of.reduce((total, each) => total + Number(each[key]), 0);
    said.report = { rows: 3, mismatches: [], maxConfidenceError: 0.25, maxNatsError: 0.5 };
    const seen: string[] = [];
    const report = await verifyPolicy({
      engine,
      weights,
      spec,
      problems: prompts.map((promptIds, at) => ({ index: 5 + at, promptIds })),
      genLength: 16,
      onProgress: (done, total) => {
        seen.push(`${done}/${total}`);
        // From the second problem on.
        if (done === 1)
          said.report = { rows: 4, mismatches: [], maxConfidenceError: 0.125, maxNatsError: 0.75 };
      },
    });
    expect(sum(counters, 'statesDrafted')).toBeGreaterThan(0);
    expect(report).toMatchObject({
      problems: 2,
      tokens: 32,
      mismatches: 0,
      first: null,
      specification: { rows: 7, mismatches: 0, maxConfidenceError: 0.25, maxNatsError: 0.75 },
      twin: { tokens: 32, mismatches: 0 },
      speculation: {
        drafted: sum(counters, 'statesDrafted'),
        accepted: sum(counters, 'statesAccepted'),
        rowsWasted: sum(counters, 'rowsWasted'),
      },
      forwards: { policy: sum(counters, 'nfe'), twin: sum(twins, 'nfe') },
    });
    expect(seen).toEqual(['0/2', '1/2', '2/2']);
    expect(report.techniques.map(({ tokens, first }) => ({ tokens, first }))).toEqual(
      report.techniques.map(({ differing, first }) => ({
        tokens: 32,
        first: differing === 0 ? null : first,
      })),
    );
  });

  it('name the first problem in which a technique changed a token, and the policy without it', async () => {
    const spec = parsePolicySpec({
      ...policySpecByName('threshold'),
      blockLength: 8,
      commit: { kind: 'threshold', tau: 0.05 },
    });
    const promptIds = [0, 10, 11, 12, 13, 4];
    const report = await verifyPolicy({
      engine,
      weights,
      spec,
      problems: [3, 4].map((index) => ({ index, promptIds })),
      genLength: 16,
    });
    const verdict = report.techniques.find(({ technique }) => technique === 'parallel commit');
    const above = techniquesOf(spec).find(({ technique }) => technique === 'parallel commit');
    expect(verdict?.differing).toBeGreaterThan(0);
    expect(verdict?.first).toMatchObject({ problem: 3, against: above?.without.name });
    const once = await verify(spec);
    // One token less of the policy than of the one without it: as many as differ, counted by hand.
    const run = async (of: PolicySpec) =>
      (await decode({ policy: composePolicy(of), engine, promptIds, genLength: 16 })).tokens;
    const others = await run(above?.without ?? spec);
    const differing = (await run(spec)).filter((token, index) => token !== others[index]).length;
    expect(differing).toBeLessThan(16);
    // The same prompt twice: twice as many, the same first one, and a hash that has both.
    const again = once.techniques.find(({ technique }) => technique === 'parallel commit');
    expect(again?.differing).toBe(differing);
    expect(verdict?.differing).toBe(2 * (again?.differing ?? 0));
    expect(verdict?.first).toEqual(again?.first);
    expect(report.textHash).not.toBe(once.textHash);
  });

  it('compare every technique with the policy just above it on the ladder, not with the whole', async () => {
    const spec = parsePolicySpec({
      ...policySpecByName('threshold'),
      blockLength: 8,
      commit: { kind: 'threshold', tau: 0.05 },
    });
    const promptIds = [0, 10, 11, 12, 13, 4];
    const texts: (readonly number[])[] = [];
    for (const rung of [spec, ...techniquesOf(spec).map(({ without }) => without)])
      texts.push((await decode({ policy: composePolicy(rung), engine, promptIds, genLength: 16 })).tokens);
    const between = (one: readonly number[], other: readonly number[]): number =>
      one.filter((token, at) => token !== other[at]).length;
    const report = await verify(spec);
    const differing = report.techniques.map((technique) => technique.differing);
    expect(differing).toEqual(texts.slice(1).map((text, at) => between(texts[at], text)));
    expect(differing.at(-1)).not.toBe(between(texts[0], texts[texts.length - 1]));
  });

  it('ask the laws about the decode as it was: its start, its budget, its model, and what it gives up', async () => {
    const spec = parsePolicySpec({ ...policySpecByName('fast-dllm-dual'), blockLength: 8 });
    await verify(spec);
    const policy = composePolicy(spec);
    const start = policy.start([0, 10, 11, 12, 13, 4], 16, 5, { endIds: [1] });
    const givenUp = lawsGivenUp(spec).map(({ part }) => part);
    expect(givenUp.length).toBeGreaterThan(0);
    expect(said.contexts).toEqual([{ start, stepBudget: policy.stepBudget(16), trained: config, givenUp }]);
  });

  it('have no twin without a lossless technique, and a technique that changed nothing is exact', async () => {
    const report = await verify({ ...policySpecByName('block-kv'), blockLength: 8 });
    expect(report.twin).toBeNull();
    expect(report.forwards).toEqual({ policy: expect.any(Number), twin: null });
    expect(report.specification.maxNatsError).toBeNull();
    const lossless = (await verify(exact)).techniques.map(({ tokenExactWith }) => tokenExactWith);
    expect(lossless[0]).toBe('baseline');
  });

  it('keep the largest error of all problems, and the first divergence of the first', async () => {
    const mismatch = { step: 1, passId: '1.0', position: 7, recorded: 2, recomputed: 3, logitMargin: 0.1 };
    const reports = [
      {
        rows: 1,
        mismatches: [mismatch, { ...mismatch, position: 8 }],
        maxConfidenceError: 0.5,
        maxNatsError: 0.75,
      },
      { rows: 1, mismatches: [{ ...mismatch, position: 9 }], maxConfidenceError: 0.25, maxNatsError: 0.5 },
    ];
    const report = await verifyPolicy({
      ...{ engine, weights, spec: parsePolicySpec(exact), genLength: 8 },
      problems: [3, 4].map((index) => ({ index, promptIds: [0, 10, 4] })),
      onProgress: (done) => {
        said.report = reports[done] ?? said.report;
      },
    });
    expect(report.specification).toEqual({
      rows: 2,
      mismatches: 3,
      maxConfidenceError: 0.5,
      maxNatsError: 0.75,
    });
    const { step, position, recorded: token, recomputed: expected, logitMargin } = mismatch;
    expect(report.first).toEqual({
      ...{ problem: 3, against: 'specification', step, position, token, expected, logitMargin },
    });
  });

  it('compare techniques as far as the model fits the policy without them, and say from where on it does not', async () => {
    const spec = parsePolicySpec({ ...policySpecByName('llada.cpp'), blockLength: 8 });
    const ladder = techniquesOf(spec);
    expect(ladder.length).toBeGreaterThan(3);
    const names = ladder.map(({ technique }) => technique);
    const compared = async (from: number | null) => {
      said.misfits.clear();
      if (from !== null) said.misfits.set(ladder[from].without.name, `because of ${names[from]}`);
      const { techniques, notCompared } = await verify(spec, engine, 8);
      return [techniques.map(({ technique }) => technique), notCompared];
    };
    const because = (from: number) =>
      names.slice(from).map((technique) => ({ technique, because: `because of ${names[from]}` }));
    expect(await compared(null)).toEqual([names, []]);
    expect(await compared(0)).toEqual([[], because(0)]);
    expect(await compared(2)).toEqual([names.slice(0, 2), because(2)]);
    said.misfits.set(ladder[3].without.name, 'because of itself');
    expect((await verify(spec, engine, 8)).notCompared[1]).toEqual({
      technique: names[3],
      because: 'because of itself',
    });
  });

  it('take other tokens of a technique that promises none for its specification', async () => {
    const { techniques } = await verify({
      ...policySpecByName('threshold'),
      blockLength: 8,
      commit: { kind: 'threshold', tau: 0.05 },
    });
    expect(techniques.map(({ technique, tokenExactWith }) => [technique, tokenExactWith])).toContainEqual([
      'parallel commit',
      'specification',
    ]);
  });
});
