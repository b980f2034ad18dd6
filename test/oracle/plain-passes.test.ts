import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { composePolicy } from '../../src/decode/method/compose.js';
import { RowMemory } from '../../src/decode/method/row-memory.js';
import { predictorPass, scorePass } from '../../src/decode/method/score-pass.js';
import { policySpecByName } from '../../src/decode/policies.js';
import type { Engine } from '../../src/engine/engine.js';
import { useBackend } from '../../src/engine/tfjs/backend.js';
import { createTfjsEngine } from '../../src/engine/tfjs/engine.js';
import { loadWeightTensors } from '../../src/engine/tfjs/weight-tensors.js';
import { type RecordedStep, verifySteps } from '../../src/engine/verify/verify.js';
import { type KvRef, type Pass, ROW_VISIBILITIES, type RowGroup } from '../../src/pass/pass.js';
import { randomWeights, tinyConfig } from '../support/tiny-model.js';
import { type PlainKey, PlainModel } from './plain-model.js';

const RUNS = Math.ceil(Number(process.env.DLLM_FUZZ_RUNS ?? 1000) / 10);
const LENGTH = 9;

/** What a pass is drawn from: per group its rows, who sees them and whether it sees each earlier group. */
const group = fc.record({
  positions: fc.uniqueArray(fc.nat(LENGTH - 1), { minLength: 1, maxLength: 5 }),
  feeds: fc.array(fc.nat(15), { minLength: 5, maxLength: 5 }),
  visibility: fc.constantFrom(...ROW_VISIBILITIES),
  sees: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
});
const drawn = fc.array(
  fc.record({
    groups: fc.array(group, { minLength: 1, maxLength: 3 }),
    /** Which of the entries there are is read. */
    reads: fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }),
  }),
  { minLength: 1, maxLength: 4 },
);
type Drawn = typeof drawn extends fc.Arbitrary<readonly (infer T)[]> ? T : never;

function passOf({ groups, reads }: Drawn, index: number, entries: readonly KvRef[]): Pass {
  const version = 1 + index * 10;
  const rowGroups = groups.map(
    ({ positions, visibility, sees }, at): RowGroup => ({
      kind: 'denoise',
      version: version + at,
      rows: positions.length,
      sees: sees.flatMap((seen, other) => (seen && other < at ? [other] : [])),
      visibility,
    }),
  );
  const rows = groups.flatMap(({ positions, feeds }) =>
    positions.map((position, row) => ({ position, feed: feeds[row] })),
  );
  return {
    id: `${index}.0`,
    kind: 'denoise',
    lane: 'main',
    version,
    rows,
    reads: entries
      .filter((_, at) => reads[at % reads.length])
      .sort((a, b) => a.position - b.position || a.version - b.version),
    visibility: rowGroups.length === 1 ? rowGroups[0].visibility : { groups: rowGroups },
    logits: rows.map((_, row) => row),
  };
}

/** Logits of a pass by the plain model, from the meaning of the words: `all`, `self`, `causal`, `ordered`, `shadow`. */
function plainly(model: PlainModel, { groups }: Drawn, pass: Pass, keys: Map<string, PlainKey>): number[][] {
  const name = ({ position, version }: KvRef) => `${position}:${version}`;
  return groups.flatMap(({ positions, feeds, visibility, sees }, at) => {
    const seen = groups
      .slice(0, at)
      .flatMap((other, index) =>
        sees[index] ? other.positions.map((position) => ({ position, version: pass.version + index })) : [],
      );
    const context = [...pass.reads, ...seen].map((ref) => keys.get(name(ref)) as PlainKey);
    const rows = positions.map((position, row) => ({
      position,
      feed: feeds[row],
      cached: context.filter((key) => visibility !== 'shadow' || key.position !== position),
    }));
    const order = (position: number) => positions.indexOf(position);
    const done = model.run(rows, (row, other) => {
      if (visibility === 'self') return row === other;
      if (visibility === 'ordered') return order(other.position) <= order(row.position);
      return visibility !== 'causal' || other.position <= row.position;
    });
    for (const key of done.keys) keys.set(name({ position: key.position, version: pass.version + at }), key);
    return done.logits;
  });
}

describe('who sees whom', () => {
  it(
    'is what the words say, for the engine and the verifier, on random passes',
    async () => {
      await useBackend('cpu');
      const config = tinyConfig({
        hidden: 8,
        heads: 2,
        headDim: 4,
        ffn: 8,
        vocab: 16,
        layers: 2,
        kvHeads: 2,
      });
      const { scoring } = composePolicy(policySpecByName('llada'));
      const vocabulary = { vocab: config.vocab, maskId: 5, endIds: [] };
      await fc.assert(
        fc.asyncProperty(drawn, fc.nat(999), fc.boolean(), async (passes, seed, shiftLogits) => {
          const weights = randomWeights(config, seed);
          const engine: Engine = await createTfjsEngine(config, weights, { backend: 'cpu' });
          const tensors = await loadWeightTensors(config, weights);
          const model = await PlainModel.of(config, weights);
          const keys = new Map<string, PlainKey>();
          const steps: RecordedStep[] = [];
          for (const [index, one] of passes.entries()) {
            const entries = [...keys.keys()].map((key) => {
              const [position, version] = key.split(':').map(Number);
              return { position, version };
            });
            const pass = passOf(one, index, entries);
            const expected = plainly(model, one, pass, keys);
            const { logits } = await engine.run(pass);
            expected.flat().forEach((value, at) => {
              expect(logits[at]).toBeCloseTo(value, 3);
            });
            const predictors = predictorPass(pass, shiftLogits).logits;
            const shifted = Float32Array.from(predictors.flatMap((row) => expected[row]));
            steps.push({
              plan: { step: index, block: 0, passes: [pass] },
              outcomes: [scorePass(pass, shifted, vocabulary, scoring, new RowMemory(null))],
            });
          }
          const report = verifySteps(steps, {
            config: { ...config, shiftLogits },
            weights: tensors,
            scoring,
            maskId: 5,
          });
          expect(report.mismatches.filter(({ logitMargin }) => logitMargin > 1e-3)).toEqual([]);
          expect(report.maxConfidenceError).toBeLessThan(1e-3);
          expect(report.rows).toBe(steps.reduce((sum, { outcomes }) => sum + outcomes[0].rows.length, 0));
          tensors.dispose();
          engine.dispose();
        }),
        { numRuns: RUNS },
      );
    },
    Math.max(120_000, RUNS * 2000),
  );
});
