import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { composePolicy } from '../../src/decode/method/compose.js';
import { type DecodeResult, decode } from '../../src/decode/method/session.js';
import type { StepRecord } from '../../src/decode/method/step-record.js';
import { POLICY_NAMES, policyByName, policySpecByName } from '../../src/decode/policies.js';
import { parsePolicySpec } from '../../src/decode/spec.js';
import type { Engine } from '../../src/engine/engine.js';
import { useBackend } from '../../src/engine/tfjs/backend.js';
import { createTfjsEngine } from '../../src/engine/tfjs/engine.js';
import { type LoadedWeights, loadWeightTensors } from '../../src/engine/tfjs/weight-tensors.js';
import { verifySteps } from '../../src/engine/verify/verify.js';
import { CheckError } from '../../src/errors.js';
import type { RowOutcome } from '../../src/pass/pass.js';
import { moduleGraph } from '../support/module-graph.js';
import { randomWeights, tinyConfig } from '../support/tiny-model.js';

/** Small: every policy is decoded, and every row of it recomputed. What a record may lack is in verify-by-hand.test.ts. */
const config = tinyConfig({ hidden: 16, heads: 2, kvHeads: 2, ffn: 16 });
const prompt = [0, 10, 11, 12, 13, 14, 15, 4];

describe('verifier', () => {
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

  const verify = (steps: readonly StepRecord[], name = 'block-kv') => {
    return verifySteps(steps, { config, weights, scoring: policyByName(name).scoring, maskId: 5 });
  };
  const decodes = new Map<string, Promise<DecodeResult>>();
  /** Three blocks, so that there are finished ones on both sides of an open one; short, so that all policies are quick; each once. */
  const run = (name: string): Promise<DecodeResult> => {
    const spec = policySpecByName(name);
    const { blockLength } = policyByName(name).spec;
    const policy = composePolicy(parsePolicySpec({ ...spec, blockLength: Math.min(blockLength, 4) }));
    const genLength = 3 * policy.spec.blockLength;
    const found = decodes.get(name) ?? decode({ policy, engine, promptIds: prompt, genLength });
    decodes.set(name, found);
    return found;
  };

  it.each(POLICY_NAMES)(
    '%s: every scored row follows from the context it was entitled to see',
    async (name) => {
      const { steps, counters } = await run(name);
      const report = verify(steps, name);
      expect(report.mismatches).toEqual([]);
      expect(report.rows).toBe(counters.logitsRows);
      expect(report.maxConfidenceError).toBeLessThan(1e-4);
      const { drift, gap } = policyByName(name).scoring;
      if (gap || drift !== null) expect(report.maxNatsError).toBeLessThan(1e-3);
      else expect(report.maxNatsError).toBeNull();
    },
  );

  /** The rows of every outcome as something else. */
  const resaid = (
    steps: readonly StepRecord[],
    change: (rows: readonly RowOutcome[]) => readonly RowOutcome[],
  ): StepRecord[] =>
    steps.map((step) => ({
      ...step,
      outcomes: step.outcomes.map((outcome) => ({ ...outcome, rows: change(outcome.rows) })),
    }));

  it.each([
    ['wino', 'asked', 'probability of a token'],
    ['klass', 'drift', 'drift'],
    ['prophet', 'gap', 'gap of its logits'],
  ] as const)(
    '%s: refuses a record without `%s`, and one with what nobody asked for',
    async (name, key, what) => {
      const { steps } = await run(name);
      const without = resaid(steps, (rows) => rows.map((row) => ({ ...row, [key]: undefined })));
      expect(() => verify(without, name)).toThrow(CheckError);
      expect(() => verify(without, name)).toThrow(`${what} was asked for and is not recorded`);
      const other = await run('block-kv');
      const too = resaid(other.steps, (rows) => rows.map((row) => ({ ...row, [key]: 0.5 })));
      expect(() => verify(too)).toThrow(`${what} is recorded and was not asked for`);
    },
  );

  it.each([
    ['klass', 'drift'],
    ['prophet', 'gap'],
  ] as const)(
    '%s: measures a `%s` that was changed, and says nothing of what it cannot know',
    async (name, key) => {
      const { steps } = await run(name);
      let done = false;
      const changed = resaid(steps, (rows) =>
        rows.map((row) => {
          const value = row[key];
          if (done || value === undefined) return row;
          done = true;
          return { ...row, [key]: value + 0.25 };
        }),
      );
      expect(verify(changed, name).maxNatsError).toBeCloseTo(0.25, 3);
      // A drift is between steps: without all of them it is not known.
      const { scoring } = policyByName(name);
      const some = verifySteps(changed, { config, weights, scoring, maskId: 5, every: 2 });
      if (key === 'drift') expect(some.maxNatsError).toBeNull();
      else expect(some.maxNatsError).not.toBeNull();
    },
  );

  it('notices a prediction that was changed', async () => {
    const { steps } = await run('block-kv');
    const broken = steps.map((step, index) =>
      index === 3
        ? {
            ...step,
            outcomes: step.outcomes.map((o) => ({
              ...o,
              rows: o.rows.map((row, r) =>
                r === 2 ? { ...row, token: (row.token + 1) % config.vocab } : row,
              ),
            })),
          }
        : step,
    );
    const report = verify(broken);
    expect(report.mismatches).toHaveLength(1);
    expect(report.mismatches[0]).toMatchObject({ step: 3, passId: steps[3].plan.passes[0].id });
    expect(report.mismatches[0].logitMargin).toBeGreaterThan(0);
    // The best is above every other token, whichever was recorded.
    let shift = 0;
    const all = verify(
      resaid(steps, (rows) =>
        rows.map((row) => {
          shift = (shift % (config.vocab - 1)) + 1;
          const token = (row.token + shift) % config.vocab;
          // The mask is never best, however large its logit.
          return { ...row, token: token === 5 ? (row.token === 6 ? 7 : 6) : token };
        }),
      ),
    ).mismatches;
    expect(all.length).toBeGreaterThan(40);
    expect(all.filter(({ logitMargin }) => !(logitMargin > 0))).toEqual([]);
    expect(all.every(({ recorded, recomputed }) => recorded !== recomputed)).toBe(true);
  });

  it('notices a pass that was fed other tokens than the trace says', async () => {
    const { steps } = await run('mbsd-sts');
    const broken = steps.map((step, index) =>
      index === 2
        ? {
            ...step,
            plan: {
              ...step.plan,
              passes: step.plan.passes.map((pass) => ({
                ...pass,
                rows: pass.rows.map((row) => ({ ...row, feed: row.feed === 5 ? 20 : 5 })),
              })),
            },
          }
        : step,
    );
    const { mismatches } = verify(broken);
    expect(mismatches.length).toBeGreaterThan(0);
    expect(mismatches.every((m) => m.step >= 2)).toBe(true);
  });
});

describe('the rebuild of contexts', () => {
  it('does not use what the engine makes masks of, nor the planner', () => {
    const shared =
      /src\/(pass\/(groups|visibility|shape)|decode\/method\/(plan|apply|score-pass)|engine\/kv-store)\.ts$/;
    const own = ['verify', 'closure', 'parts', 'asked-beside'].map((name) => `src/engine/verify/${name}.ts`);
    const used = moduleGraph().filter(({ from, typeOnly }) => own.includes(from) && !typeOnly);
    expect(used.length).toBeGreaterThan(0);
    expect(used.filter(({ to }) => shared.test(to))).toEqual([]);
  });
});
