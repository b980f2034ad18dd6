import { describe, expect, it } from 'vitest';
import { composePolicy } from '../../src/decode/method/compose.js';
import { decode } from '../../src/decode/method/session.js';
import { AUTOREGRESSIVE_SPEC } from '../../src/decode/policies/causal.js';
import { policyByName } from '../../src/decode/policies.js';
import { parsePolicySpec } from '../../src/decode/spec.js';
import { checkTrace, formatTrace, parseTrace, traceOf } from '../../src/decode/trace/trace.js';
import type { Engine } from '../../src/engine/engine.js';
import { createTfjsEngine } from '../../src/engine/tfjs/engine.js';
import { loadWeightTensors } from '../../src/engine/tfjs/weight-tensors.js';
import { verifyPolicy } from '../../src/engine/verify/verify-policy.js';
import { randomWeights, tinyConfig } from '../support/tiny-model.js';
import { ToyEngine } from './support/toy-engine.js';

const config = tinyConfig({
  arch: 'llama',
  attention: 'causal',
  shiftLogits: true,
  maskId: null,
  kvHeads: 2,
});
const weights = randomWeights(config, 5);
const promptIds = [7, 11, 12, 13];
const policy = policyByName('autoregressive');

/** Next tokens without policy, session or cache: the whole text through one causal pass for every token. */
async function plainContinuation(engine: Engine, count: number): Promise<number[]> {
  const ids = [...promptIds];
  for (let i = 0; i < count; i++) {
    engine.retain([]);
    const { logits } = await engine.run({
      id: '0.0',
      kind: 'denoise',
      lane: 'main',
      version: 0,
      reads: [],
      visibility: 'causal',
      rows: ids.map((feed, position) => ({ position, feed })),
      logits: [ids.length - 1],
    });
    ids.push(logits.reduce((best, value, id) => (value > (logits[best] ?? 0) ? id : best), 0));
  }
  return ids.slice(promptIds.length);
}

describe('autoregressive decoding', () => {
  it('gives the best next token every time, from one prompt pass and one row per further token', async () => {
    const engine = await createTfjsEngine(config, weights);
    const result = await decode({ policy, engine, promptIds, genLength: 24 });
    expect(result.counters.forwards).toEqual({ prefill: 1, denoise: 23, seal: 0, refresh: 0 });
    expect(result.counters.mainRows).toBe(promptIds.length + 23);
    expect(result.counters.logitsRows).toBe(24);
    expect(result.remainingVisible).toEqual([]);
    expect(result.tokens).toEqual(await plainContinuation(engine, 24));
    // Another continuation than the prompt's own last token over and over: the cache was read.
    expect(new Set(result.tokens).size).toBeGreaterThan(3);
    engine.dispose();
  });

  it('keeps the laws, in memory and from a trace file', async () => {
    const engine = await createTfjsEngine(config, weights);
    const options = { policy, engine, promptIds, genLength: 8 };
    const trace = traceOf(options, await decode(options));
    const text = formatTrace(trace);
    expect(formatTrace(parseTrace(text))).toBe(text);
    expect(checkTrace(parseTrace(text))).toEqual([]);
    const [first, second, ...rest] = trace.steps;
    const forged = {
      ...trace,
      steps: [
        first!,
        { ...second!, outcomes: [{ passId: '1.0', rows: [{ position: 4, token: 0, confidence: 1 }] }] },
        ...rest,
      ],
    };
    expect(checkTrace(forged).map(({ law }) => law)).toContain('trace');
    // A trace does not say what its model was trained to see; the policy says what it shows.
    const seeing = trace.steps.map((step) => ({
      ...step,
      plan: {
        ...step.plan,
        passes: step.plan.passes.map((pass) => ({ ...pass, visibility: 'all' as const })),
      },
    }));
    expect(checkTrace({ ...trace, steps: seeing }).map(({ clause }) => clause)).toContain('beyond-attention');
    engine.dispose();
  });

  it('follows from its context, recomputed without a cache', async () => {
    const engine = await createTfjsEngine(config, weights);
    const tensors = await loadWeightTensors(config, weights);
    const report = await verifyPolicy({
      engine,
      weights: tensors,
      spec: parsePolicySpec(AUTOREGRESSIVE_SPEC),
      genLength: 8,
      problems: [{ index: 0, promptIds }],
    });
    expect(report).toMatchObject({ mismatches: 0, specification: { rows: 8 } });
    tensors.dispose();
    engine.dispose();
  });

  it('samples reproducibly, another seed another text', async () => {
    const engine = await createTfjsEngine(config, weights);
    const sampled = (seed: number) =>
      decode({
        engine,
        promptIds,
        genLength: 12,
        policy: composePolicy({
          ...AUTOREGRESSIVE_SPEC,
          sampling: { kind: 'filtered', temperature: 1, topP: 1, seed },
        }),
      });
    const first = await sampled(1);
    expect((await sampled(1)).tokens).toEqual(first.tokens);
    expect((await sampled(2)).tokens).not.toEqual(first.tokens);
    engine.dispose();
  });

  it('is refused for a model that sees both ways, and diffusion for one that does not', async () => {
    await expect(
      decode({ policy, engine: new ToyEngine({ seed: 1 }), promptIds, genLength: 4 }),
    ).rejects.toThrow(
      /model toy sees both ways, and policy autoregressive shows rows only what is left of them: take --policy llada, /,
    );
    const engine = await createTfjsEngine(config, weights);
    const diffusion = policyByName('llada');
    await expect(decode({ policy: diffusion, engine, promptIds, genLength: 32 })).rejects.toThrow(
      /--policy autoregressive/,
    );
    engine.dispose();
  });

  it.each([
    ['a longer block', { blockLength: 4 }],
    ['drafts', { speculate: { kind: 'exact' } }],
    ['another cache', { cache: { kind: 'none' } }],
    ['another commit rule', { commit: { kind: 'threshold' } }],
  ] as const)('contradicts %s', (_, change) => {
    expect(() => parsePolicySpec({ ...AUTOREGRESSIVE_SPEC, ...change })).toThrow(/window next/);
  });
});
