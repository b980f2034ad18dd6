import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Violation } from '../../src/decode/laws/law.js';
import { policySpecByName } from '../../src/decode/policies.js';
import { type PolicySpecInput, parsePolicySpec } from '../../src/decode/spec.js';
import type { Engine } from '../../src/engine/engine.js';
import { useBackend } from '../../src/engine/tfjs/backend.js';
import { createTfjsEngine } from '../../src/engine/tfjs/engine.js';
import { type LoadedWeights, loadWeightTensors } from '../../src/engine/tfjs/weight-tensors.js';
import { randomWeights, tinyConfig } from '../support/tiny-model.js';

/** What each half of the proof says; the other half has nothing to say. */
const said = vi.hoisted(() => ({
  laws: [] as unknown[],
  report: {
    rows: 1,
    mismatches: [] as unknown[],
    maxConfidenceError: 0,
    maxNatsError: null as number | null,
  },
}));
vi.mock('../../src/decode/laws/check.js', () => ({ checkLaws: () => said.laws }));
vi.mock('../../src/engine/verify/verify.js', () => ({ verifySteps: () => said.report }));
const { verifyPolicy } = await import('../../src/engine/verify/verify-policy.js');

const config = tinyConfig();

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
    said.report = { rows: 1, mismatches: [], maxConfidenceError: 0, maxNatsError: null };
  });
  afterAll(() => {
    engine.dispose();
    weights.dispose();
  });

  const verify = (spec: PolicySpecInput, other: Engine = engine) =>
    verifyPolicy({
      engine: other,
      weights,
      spec: parsePolicySpec(spec),
      problems: [{ index: 3, promptIds: [0, 10, 11, 12, 13, 4] }],
      genLength: 16,
    });
  const exact = { ...policySpecByName('exact-speculation'), blockLength: 8 };

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
