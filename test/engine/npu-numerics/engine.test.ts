import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { composePolicy } from '../../../src/decode/method/compose.js';
import { decode } from '../../../src/decode/method/session.js';
import { policySpecByName } from '../../../src/decode/policies.js';
import type { Engine } from '../../../src/engine/engine.js';
import { createNpuNumericsEngine } from '../../../src/engine/npu-numerics/engine.js';
import { createTfjsEngine } from '../../../src/engine/tfjs/engine.js';
import type { ModelConfig } from '../../../src/model/config.js';
import { roundToF16 } from '../../../src/model/formats/f16-round.js';
import { loadModel } from '../../../src/model/load.js';
import { encodePrompt } from '../../../src/model/prompt.js';
import { syntheticShapes } from '../../../src/model/synthetic/shapes.js';
import { syntheticWeights } from '../../../src/model/synthetic/weights.js';
import type { WeightSource } from '../../../src/model/weights.js';
import type { Pass } from '../../../src/pass/pass.js';
import { generateProblem } from '../../../src/score/problems.js';
import { denoisePass, randomRows } from '../../support/passes.js';
import { randomWeights, tinyConfig } from '../../support/tiny-model.js';

const engines: Engine[] = [];
afterEach(() => {
  for (const engine of engines.splice(0)) engine.dispose();
});

async function pair(config: ModelConfig, weights: WeightSource, keyBlock?: number) {
  const f32 = await createTfjsEngine(config, weights);
  const npu = await createNpuNumericsEngine(config, weights, keyBlock === undefined ? {} : { keyBlock });
  engines.push(f32, npu);
  return { f32, npu };
}

/** Root mean square of the difference over that of the reference. */
function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [difference, size] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    difference += (actual[i]! - expected[i]!) ** 2;
    size += expected[i]! ** 2;
  }
  return Math.sqrt(difference / size);
}

/** The stated bound of docs/numerics.md. */
const BOUND = 0.01;

const VARIANTS: Record<string, Partial<ModelConfig>> = {
  'llada, tied head': {},
  'dream: grouped-query attention, QKV bias': { arch: 'dream', kvHeads: 2, qkvBias: true, tiedHead: false },
  llama: { arch: 'llama', kvHeads: 1, tiedHead: false, attention: 'causal', shiftLogits: true },
  'QK-norm, wide heads': { qkNorm: true, headDim: 12, heads: 3, kvHeads: 3 },
  // All experts are used: with fewer, a near-tie of the router is a jump and no rounding error.
  'routed experts': {
    tiedHead: false,
    moe: { experts: 4, expertsPerToken: 4, expertFfn: 16, renormalise: true },
  },
};

describe('npu-numerics engine', () => {
  it.each(Object.entries(VARIANTS))(
    'stays within the stated bound of f32 on random models: %s',
    async (_, overrides) => {
      const config = tinyConfig(overrides);
      await fc.assert(
        fc.asyncProperty(fc.nat(10_000), fc.constantFrom(5, 512), async (seed, keyBlock) => {
          const { f32, npu } = await pair(config, randomWeights(config, seed), keyBlock);
          const prefix = denoisePass(0, randomRows(config, 6, seed), {
            kind: 'prefill',
            logits: [],
            visibility: 'causal',
          });
          for (const engine of [f32, npu]) expect((await engine.run(prefix)).logits).toHaveLength(0);
          const reads = prefix.rows.map(({ position }) => ({ position, version: 0 }));
          const window = randomRows(config, 7, seed + 1, 6);
          const passes: Partial<Pass>[] = [
            {},
            { reads },
            { reads: reads.slice(1, 4), visibility: 'causal' },
            { reads, visibility: 'self', logits: [5, 0, 3] },
          ];
          for (const [index, rest] of passes.entries()) {
            const asked = denoisePass(index + 1, window, rest);
            const expected = (await f32.run(asked)).logits.slice();
            const error = relativeError((await npu.run(asked)).logits, expected);
            expect(error).toBeLessThan(BOUND);
            expect(error).toBeGreaterThan(0);
            const kept = npu.readKv({ position: 8, version: asked.version });
            for (const values of [...kept.k, ...kept.v]) {
              const rounded = values.slice();
              roundToF16(rounded);
              expect(rounded).toEqual(values);
            }
          }
        }),
        { numRuns: 6 },
      );
    },
  );

  it.each(
    (['llada', 'dream', 'llada-moe', 'llama'] as const).flatMap((arch) =>
      (['q4_0', 'q8_0', 'f16'] as const).map((quant) => [arch, quant] as const),
    ),
  )('runs stored weights: %s %s', async (arch, quant) => {
    const shapes = syntheticShapes(arch, 'tiny');
    // Every expert takes part, for the reason above.
    const config =
      shapes.moe === undefined ? shapes : { ...shapes, moe: { ...shapes.moe, expertsPerToken: 8 } };
    const { f32, npu } = await pair(config, syntheticWeights(config, quant, 4));
    const asked = denoisePass(1, randomRows(config, 9, 2), {
      visibility: arch === 'llama' ? 'causal' : 'all',
    });
    const expected = (await f32.run(asked)).logits;
    expect(relativeError((await npu.run(asked)).logits, expected)).toBeLessThan(BOUND);
  });

  it('gives a row the same bits alone as among all, and the same bits run after run', async () => {
    const config = syntheticShapes('llada-moe', 'tiny');
    const { npu } = await pair(config, syntheticWeights(config, 'q4_0', 6));
    const rows = randomRows(config, 9, 8);
    const all = (await npu.run(denoisePass(1, rows))).logits.slice();
    const alone = (await npu.run(denoisePass(2, rows, { logits: [4] }))).logits;
    expect(alone).toEqual(all.subarray(4 * config.vocab, 5 * config.vocab));
    expect((await npu.run(denoisePass(3, rows))).logits).toEqual(all);
  });

  it('decodes the shipped model to a right answer', async () => {
    const model = await loadModel('tiny-llada');
    const { f32, npu } = await pair(model.config, model.weights);
    const promptIds = encodePrompt(model.tokenizer!, generateProblem(1, 3, 'long', 'heldout').prompt);
    const run = (engine: Engine) =>
      decode({ policy: composePolicy(policySpecByName('llada.cpp')), engine, promptIds, genLength: 32 });
    const [expected, actual] = [await run(f32), await run(npu)];
    const same = actual.tokens.filter((token, i) => token === expected.tokens[i]).length;
    expect(same).toBeGreaterThanOrEqual(30);
    await model.weights.close();
  });

  it('names the operator whose result leaves the range of F16', async () => {
    const config = tinyConfig({ tiedHead: false });
    const source = randomWeights(config);
    const large: WeightSource = {
      ...source,
      read: async (id) => {
        const values = await source.read(id);
        return id === 'blk.0.ffn_down.weight' ? values.map((value) => value * 60_000) : values;
      },
    };
    const { npu } = await pair(config, large);
    await expect(npu.run(denoisePass(1, randomRows(config, 4, 1)))).rejects.toThrow(
      /blk\.0\.ffn_(down|residual) gives values beyond 65504/,
    );
  });

  it('refuses ids outside the vocabulary and blocks without keys', async () => {
    const config = tinyConfig();
    const { npu } = await pair(config, randomWeights(config));
    await expect(npu.run(denoisePass(1, [{ position: 0, feed: 40 }]))).rejects.toThrow(
      /token id 40 is outside/,
    );
    await expect(createNpuNumericsEngine(config, randomWeights(config), { keyBlock: 0 })).rejects.toThrow(
      /positive integer/,
    );
  });
});
