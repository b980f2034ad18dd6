import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { composePolicy } from '../../src/decode/method/compose.js';
import { decode } from '../../src/decode/method/session.js';
import { policySpecByName } from '../../src/decode/policies.js';
import { type PolicySpecInput, parsePolicySpec } from '../../src/decode/spec.js';
import type { Engine } from '../../src/engine/engine.js';
import { recordMargins } from '../../src/engine/margins.js';
import { useBackend } from '../../src/engine/tfjs/backend.js';
import { createTfjsEngine } from '../../src/engine/tfjs/engine.js';
import { type LoadedWeights, loadWeightTensors } from '../../src/engine/tfjs/weight-tensors.js';
import { verifyPolicy } from '../../src/engine/verify/verify-policy.js';
import { randomWeights, tinyConfig } from '../support/tiny-model.js';

const config = tinyConfig({ hidden: 16, heads: 2, kvHeads: 2, ffn: 16 });

describe('verifyPolicy', () => {
  let engine: Engine;
  let weights: LoadedWeights;

  beforeAll(async () => {
    await useBackend('wasm');
    const source = randomWeights(config, 7);
    engine = await createTfjsEngine(config, source, { backend: 'wasm' });
    weights = await loadWeightTensors(config, source);
  });
  afterAll(() => {
    engine.dispose();
    weights.dispose();
  });

  const problems = [
    { index: 3, promptIds: [0, 10, 11, 12, 13, 4] },
    { index: 4, promptIds: [0, 20, 21, 4] },
  ];
  const verify = (spec: PolicySpecInput, other: Engine = engine) =>
    verifyPolicy({ engine: other, weights, spec: parsePolicySpec(spec), problems, genLength: 16 });

  it.each(['llada.cpp', 'wino', 'dkv', 'fast-dllm-dual', 'exact-speculation'])('passes %s', async (name) => {
    const report = await verify({ ...policySpecByName(name), blockLength: 8 });
    expect(report).toMatchObject({ policy: name, problems: 2, tokens: 32, mismatches: 0, first: null });
    expect(report.specification.rows).toBeGreaterThan(50);
  });

  it('counts the forwards that exact speculation saves', async () => {
    const { forwards, twin } = await verify({ ...policySpecByName('exact-speculation'), blockLength: 8 });
    expect(twin).toMatchObject({
      policy: 'exact-speculation without speculation',
      tokens: 32,
      mismatches: 0,
    });
    expect(forwards.policy).toBeLessThan(forwards.twin ?? 0);
  });

  it('names the first divergence of an engine that mistakes drafted rows', async () => {
    const wrong: Engine = {
      ...engine,
      name: 'wrong',
      config,
      retain: (live) => engine.retain(live),
      run: async (pass) => {
        const { logits } = await engine.run(pass);
        if (typeof pass.visibility === 'string') return { logits };
        const spoiled = logits.slice();
        for (let row = 0; row < pass.logits.length; row++) spoiled[row * config.vocab + 30] += 50;
        return { logits: spoiled };
      },
    };
    const report = await verify({ ...policySpecByName('exact-speculation'), blockLength: 8 }, wrong);
    expect(report.mismatches).toBeGreaterThan(0);
    expect(report.first).toMatchObject({ problem: 3, against: 'specification', token: 30 });
    expect(report.twin?.mismatches).toBeGreaterThan(0);
  });
});

/** Laws hold by construction on the toy engine; on a real one, rounding must not matter either. */
describe('exact speculation on random models', () => {
  const RUNS = Math.ceil(Number(process.env.DLLM_FUZZ_RUNS ?? 300) / 25);

  it(
    'gives the tokens of the method; the smallest logit margin is reported',
    async () => {
      await useBackend('wasm');
      let tokens = 0;
      let smallest = Number.POSITIVE_INFINITY;
      await fc.assert(
        fc.asyncProperty(
          fc.nat(10_000),
          fc.constantFrom(4, 8, 16),
          fc.constantFrom('exact-speculation', 'exact-speculation-threshold'),
          fc.constantFrom(0.1, 0.3, 0.9),
          fc.array(fc.integer({ min: 6, max: 39 }), { minLength: 1, maxLength: 20 }),
          async (seed, blockLength, name, tau, promptIds) => {
            const engine = await createTfjsEngine(config, randomWeights(config, seed), { backend: 'wasm' });
            const base = { ...policySpecByName(name), blockLength };
            const spec =
              base.commit.kind === 'threshold'
                ? { ...base, commit: { kind: 'threshold' as const, tau } }
                : base;
            const run = async (input: PolicySpecInput) => {
              const recorder = recordMargins(engine);
              const result = await decode({
                policy: composePolicy(input),
                engine: recorder.engine,
                promptIds,
                genLength: 16,
              });
              for (const rows of recorder.margins.values()) smallest = Math.min(smallest, ...rows);
              return result;
            };
            const fast = await run(spec);
            const plain = await run({ ...spec, speculate: { kind: 'none' } });
            engine.dispose();
            tokens += 16;
            expect(fast.tokens).toEqual(plain.tokens);
            expect(fast.counters.nfe + fast.counters.statesAccepted).toBe(plain.counters.nfe);
          },
        ),
        { numRuns: RUNS },
      );
      console.info(
        `exact speculation: ${tokens} tokens on ${RUNS} random models equal, smallest logit margin ${smallest.toExponential(1)}`,
      );
    },
    Math.max(120_000, RUNS * 5000),
  );
});
