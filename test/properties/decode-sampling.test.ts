import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { composePolicy } from '../../src/decode/method/compose.js';
import { decode } from '../../src/decode/method/session.js';
import { policySpecByName } from '../../src/decode/policies.js';
import { uniformAt } from '../../src/decode/rules/random.js';
import { sampleRow } from '../../src/decode/rules/sample-row.js';
import type { PolicySpecInput } from '../../src/decode/spec.js';
import { RUNS, TIME_LIMIT_MS, workloads } from '../decode/support/arbitraries.js';
import { dreamGenerate, lladaGenerate } from '../decode/support/reference-sampling.js';
import { runToy } from '../decode/support/run.js';
import { ToyEngine } from '../decode/support/toy-engine.js';

const options = { numRuns: RUNS };

describe('sampled baselines are their published loops', () => {
  it(
    'llada: temperature, random remasking, end-of-text options',
    async () => {
      const shapes = fc.integer({ min: 1, max: 8 }).chain((blockLength) =>
        fc.record({
          blockLength: fc.constant(blockLength),
          steps: fc.integer({ min: 1, max: blockLength }),
          temperature: fc.constantFrom(0, 0.5, 1, 3),
          seed: fc.nat(1000),
          random: fc.boolean(),
          eosNever: fc.boolean(),
          eosLast: fc.boolean(),
        }),
      );
      await fc.assert(
        fc.asyncProperty(shapes, workloads, async (o, work) => {
          const spec: PolicySpecInput = {
            ...policySpecByName('llada'),
            blockLength: o.blockLength,
            commit: { kind: 'quota', stepsPerBlock: o.steps },
            confidence: o.random ? 'random' : 'max-softmax',
            sampling: { kind: 'gumbel', temperature: o.temperature, seed: o.seed },
            endOfText: { logit: o.eosNever ? 'never' : 'keep', confidence: o.eosLast ? 'last' : 'keep' },
          };
          const { result, broken } = await runToy(spec, work);
          expect(broken).toEqual([]);
          const genLength = work.blocks * o.blockLength;
          expect(result.tokens).toEqual(
            await lladaGenerate(new ToyEngine(work), work.promptIds, genLength, o),
          );
        }),
        options,
      );
    },
    TIME_LIMIT_MS,
  );

  it(
    'dream: origin, maskgit_plus, topk_margin, entropy, alg_temp, shift',
    async () => {
      const shapes = fc.integer({ min: 1, max: 16 }).chain((length) =>
        fc.record({
          length: fc.constant(length),
          steps: fc.integer({ min: 1, max: length }),
          alg: fc.constantFrom(
            'origin' as const,
            'maskgit_plus' as const,
            'topk_margin' as const,
            'entropy' as const,
          ),
          eps: fc.constantFrom(0.001, 0.1),
          temperature: fc.constantFrom(0, 0.2, 1),
          topP: fc.constantFrom(null, 0.5, 0.95),
          topK: fc.constantFrom(null, 2, 5),
          algTemp: fc.constantFrom(0, 0, 0.5),
          seed: fc.nat(1000),
        }),
      );
      const confidence = {
        origin: 'max-softmax',
        maskgit_plus: 'max-softmax',
        topk_margin: 'margin',
        entropy: 'neg-entropy',
      } as const;
      await fc.assert(
        fc.asyncProperty(shapes, workloads, async (o, work) => {
          const { temperature, topP, topK, seed, steps, eps } = o;
          const policy = composePolicy({
            ...policySpecByName('dream'),
            confidenceType: 'f64',
            blockLength: o.length,
            commit: {
              kind: 'timestep',
              steps,
              eps,
              seed,
              transfer: o.alg === 'origin' ? 'each' : 'top',
              temperature: o.algTemp,
            },
            confidence: confidence[o.alg],
            sampling: { kind: 'filtered', temperature, topP, topK, seed },
          });
          const engine = new ToyEngine({ ...work, shift: true });
          const { tokens } = await decode({ policy, engine, promptIds: work.promptIds, genLength: o.length });
          expect(tokens).toEqual(await dreamGenerate(new ToyEngine(work), work.promptIds, o.length, o));
        }),
        options,
      );
    },
    TIME_LIMIT_MS,
  );
});

describe('random numbers', () => {
  it(
    'are a function of seed and counters: exact speculation keeps sampled tokens too',
    async () => {
      await fc.assert(
        fc.asyncProperty(
          workloads,
          fc.nat(99),
          fc.constantFrom('max-softmax', 'random'),
          async (work, seed, confidence) => {
            const spec: PolicySpecInput = {
              ...policySpecByName('block-kv'),
              blockLength: 6,
              confidence: confidence as 'random',
              sampling: { kind: 'gumbel', temperature: 1, seed },
            };
            const plain = await runToy(spec, work);
            const fast = await runToy(
              { ...spec, speculate: { kind: 'exact', tile: 8, extraTiles: 3 } },
              work,
            );
            expect(fast.result.tokens).toEqual(plain.result.tokens);
          },
        ),
        options,
      );
    },
    TIME_LIMIT_MS,
  );

  it('temperature 1 samples the softmax', () => {
    const logits = Float32Array.of(0, 1, 2, -1, 9);
    const p = [0, 1, 2, -1].map((value) => Math.exp(value));
    const sum = p.reduce((a, b) => a + b, 0);
    const counts = [0, 0, 0, 0];
    const n = 20_000;
    const { scoring } = composePolicy({
      ...policySpecByName('llada'),
      sampling: { kind: 'gumbel', temperature: 1, seed: 3 },
    });
    for (let position = 0; position < n; position++) {
      const { token } = sampleRow(logits, 0, { vocab: 5, maskId: 4, eosId: 0 }, scoring, {
        position,
        draw: 7,
      });
      counts[token]++;
    }
    // Five standard errors.
    counts.forEach((count, id) => {
      const share = p[id] / sum;
      expect(Math.abs(count / n - share)).toBeLessThan(5 * Math.sqrt((share * (1 - share)) / n));
    });
  });

  it('are uniform in every counter', () => {
    for (const at of [(i: number) => [i, 0, 0], (i: number) => [0, i, 0], (i: number) => [0, 0, i]]) {
      const values = Array.from({ length: 10_000 }, (_, i) => uniformAt(...at(i)));
      const mean = values.reduce((a, b) => a + b, 0) / values.length;
      expect(Math.abs(mean - 0.5)).toBeLessThan(5 / Math.sqrt(12 * values.length));
    }
  });
});
