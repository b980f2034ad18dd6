import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { composePolicy } from '../../src/decode/method/compose.js';
import { decode } from '../../src/decode/method/session.js';
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

const config = tinyConfig();
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
  /** Three blocks, so that there are finished ones on both sides of an open one; short, so that all policies are quick. */
  const run = (name: string) => {
    const spec = policySpecByName(name);
    const { blockLength } = policyByName(name).spec;
    const policy = composePolicy(parsePolicySpec({ ...spec, blockLength: Math.min(blockLength, 8) }));
    return decode({ policy, engine, promptIds: prompt, genLength: 3 * policy.spec.blockLength });
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

  it('notices another token beside the excluded ones of a row that excludes none', async () => {
    const { steps } = await run('block-kv');
    const said = (by: number) =>
      resaid(steps, (rows) => rows.map((row) => ({ ...row, instead: row.token + by })));
    expect(verify(said(1)).mismatches).not.toEqual([]);
    expect(verify(said(0)).mismatches).toEqual([]);
  });

  it.each([
    ['of a row less', (rows: readonly RowOutcome[]) => rows.slice(1)],
    ['of a row more', (rows: readonly RowOutcome[]) => [...rows, ...rows.slice(-1)]],
    ['of another row', ([row, ...rows]: readonly RowOutcome[]) => [{ ...row, position: 0 }, ...rows]],
    ['of none', () => []],
  ])('refuses what was recorded %s', async (_, change) => {
    const { steps } = await run('block-kv');
    const [first, ...later] = steps;
    expect(() => verify([first, ...resaid(later, change)])).toThrow(/the record is not whole/);
    const gone = steps.map((step) => ({ ...step, outcomes: [] }));
    expect(() => verify(gone)).toThrow(/the record is not whole/);
  });

  it('refuses a guided pass whose other half got no logits', async () => {
    const policy = composePolicy(
      parsePolicySpec({ ...policySpecByName('llada'), guidance: 1, blockLength: 8 }),
    );
    const { steps } = await decode({ policy, engine, promptIds: prompt, genLength: 8 });
    const options = { config, weights, scoring: policy.scoring, maskId: 5 };
    expect(verifySteps(steps, options).mismatches).toEqual([]);
    const half = steps.map((step) => ({
      ...step,
      plan: {
        ...step.plan,
        passes: step.plan.passes.map((pass) => ({
          ...pass,
          logits: pass.logits.slice(0, pass.logits.length / 2),
        })),
      },
      outcomes: step.outcomes.map(({ passId, rows }) => ({ passId, rows: rows.slice(0, rows.length / 2) })),
    }));
    expect(() => verifySteps(half, options)).toThrow(/got no logits, so nothing was compared there/);
  });

  it('notices a wrong token beside the excluded ones, and one that is missing', async () => {
    const { steps } = await run('block-kv');
    const answered = (
      excludes: (best: number) => number[],
      instead: (best: number) => number | undefined,
    ): StepRecord[] =>
      steps.slice(0, 3).map((step) => {
        const best = new Map(
          step.outcomes.flatMap(({ rows }) => rows.map(({ position, token }) => [position, token])),
        );
        const passes = step.plan.passes.map((pass) => ({
          ...pass,
          rows: pass.rows.map((row) => ({ ...row, excludes: excludes(best.get(row.position) ?? 0) })),
        }));
        const outcomes = step.outcomes.map((outcome) => ({
          ...outcome,
          rows: outcome.rows.map((row) => ({ ...row, instead: instead(row.token) })),
        }));
        return { ...step, plan: { ...step.plan, passes }, outcomes };
      });
    const nothing = () => [];
    // Of rows that exclude nothing the best of the others is the best of all.
    expect(verify(answered(nothing, (best) => best)).mismatches).toEqual([]);
    expect(verify(answered(nothing, (best) => best + 1)).mismatches).not.toEqual([]);
    expect(
      verify(
        answered(
          (best) => [best],
          () => undefined,
        ),
      ).mismatches,
    ).not.toEqual([]);
  });

  it('notices a prediction that was changed', async () => {
    const { steps } = await run('block-kv');
    const broken = steps.map((step, index) =>
      index === 3
        ? {
            ...step,
            outcomes: step.outcomes.map((o) => ({
              ...o,
              rows: o.rows.map((row, r) =>
                r === 5 ? { ...row, token: (row.token + 1) % config.vocab } : row,
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
          return { ...row, token: (row.token + shift) % config.vocab };
        }),
      ),
    ).mismatches;
    expect(all.length).toBeGreaterThan(100);
    expect(all.filter(({ logitMargin }) => !(logitMargin > 0))).toEqual([]);
    expect(all.every(({ recorded, recomputed }) => recorded !== recomputed)).toBe(true);
  });

  it('measures a confidence that was changed, and a probability that was asked for', async () => {
    for (const [name, change] of [
      ['block-kv', { confidence: 0.25 }],
      ['wino', { asked: 0.25 }],
    ] as const) {
      const { steps } = await run(name);
      expect(verify(steps, name).maxConfidenceError).toBeLessThan(1e-4);
      const at = steps.findIndex(({ outcomes }) =>
        outcomes[0].rows.some((row) => ('asked' in change ? row.asked !== undefined : true)),
      );
      const broken = steps.map((step, index) =>
        index === at
          ? {
              ...step,
              outcomes: step.outcomes.map((outcome) => ({
                ...outcome,
                rows: outcome.rows.map((row) =>
                  'asked' in change && row.asked === undefined ? row : { ...row, ...change },
                ),
              })),
            }
          : step,
      );
      const report = verify(broken, name);
      expect(report.mismatches).toEqual([]);
      expect(report.maxConfidenceError).toBeGreaterThan(0.01);
    }
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
