import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { composePolicy } from '../../src/decode/method/compose.js';
import { policySpecByName } from '../../src/decode/policies.js';
import { uniformAt } from '../../src/decode/rules/random.js';
import { sampleRow } from '../../src/decode/rules/sample-row.js';
import type { PolicySpecInput } from '../../src/decode/spec.js';
import { RUNS, TIME_LIMIT_MS, workloads } from '../decode/support/arbitraries.js';
import { runToy } from '../decode/support/run.js';

const options = { numRuns: Math.ceil(RUNS / 2) };

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
      const { token } = sampleRow(logits, 0, { vocab: 5, maskId: 4, endIds: [0] }, scoring, {
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
