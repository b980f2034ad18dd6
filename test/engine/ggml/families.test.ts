import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { Engine } from '../../../src/engine/engine.js';
import { createGgmlEngine, type GgmlEngineOptions } from '../../../src/engine/ggml/engine.js';
import { hasGgml } from '../../../src/engine/ggml/package.js';
import { createTfjsEngine } from '../../../src/engine/tfjs/engine.js';
import type { ModelConfig } from '../../../src/model/config.js';
import { ARCHITECTURES } from '../../../src/model/families/index.js';
import type { WeightSource } from '../../../src/model/weights.js';
import type { Pass, RowVisibility } from '../../../src/pass/pass.js';
import { arbitraryConfig } from '../../support/arbitrary-config.js';
import { denoisePass, randomRows } from '../../support/passes.js';
import { randomWeights, tinyConfig } from '../../support/tiny-model.js';

const engines: Engine[] = [];
afterEach(() => {
  for (const engine of engines.splice(0)) engine.dispose();
});

async function pair(config: ModelConfig, weights: WeightSource, options: GgmlEngineOptions = {}) {
  const tfjs = await createTfjsEngine(config, weights);
  const ggml = await createGgmlEngine(config, weights, { threads: 1, ...options });
  engines.push(tfjs, ggml);
  return { tfjs, ggml };
}

function farthest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let worst = 0;
  for (let i = 0; i < a.length; i++)
    worst = Math.max(worst, Math.abs(a[i] - b[i]) / Math.max(1, Math.abs(b[i])));
  return worst;
}

const BOUND = 1e-4;

/** A cached prefix, then passes that see all of it, a part out of order, or less, with logits of some rows. */
async function agree(tfjs: Engine, ggml: Engine, config: ModelConfig): Promise<void> {
  const length = Math.min(config.contextLength, 13);
  const cached = Math.floor(length / 2);
  const causal: RowVisibility = config.attention === 'causal' ? 'causal' : 'all';
  const prefix = denoisePass(0, randomRows(config, Math.max(1, cached), 3), {
    kind: 'prefill',
    logits: [],
    visibility: causal,
  });
  for (const engine of [tfjs, ggml]) expect((await engine.run(prefix)).logits).toHaveLength(0);
  const reads = prefix.rows.map(({ position }) => ({ position, version: 0 }));
  const window = randomRows(
    config,
    Math.max(1, length - reads.length),
    5,
    length - Math.max(1, length - reads.length),
  );
  const last = window.length - 1;
  const passes: Partial<Pass>[] = [
    { visibility: causal },
    { reads },
    { reads: reads.slice(1, 4), visibility: 'causal' },
    { reads, visibility: 'self', logits: [...new Set([last, 0, Math.floor(last / 2)])] },
  ];
  for (const [index, rest] of passes.entries()) {
    const asked = denoisePass(index + 1, window, rest);
    const expected = (await tfjs.run(asked)).logits.slice();
    expect(farthest((await ggml.run(asked)).logits, expected)).toBeLessThan(BOUND);
    for (const { position } of window) {
      const ref = { position, version: asked.version };
      const [a, b] = [tfjs.readKv(ref), ggml.readKv(ref)];
      for (let layer = 0; layer < config.layers; layer++) {
        expect(farthest(b.k[layer], a.k[layer])).toBeLessThan(BOUND);
        expect(farthest(b.v[layer], a.v[layer])).toBeLessThan(BOUND);
      }
    }
  }
}

const VARIANTS: Record<string, Partial<ModelConfig>> = {
  'experts with renormalisation, most of them idle': {
    moe: { experts: 24, expertsPerToken: 2, expertFfn: 16, renormalise: true },
  },
  'one expert a token': { moe: { experts: 4, expertsPerToken: 1, expertFfn: 16, renormalise: false } },
  'heads wider than the residual': { headDim: 12, heads: 3, kvHeads: 3 },
  'a part of every head turns': { headDim: 16, heads: 2, kvHeads: 1, ropeDims: 8 },
  'biases everywhere': { qkvBias: true, outputBias: true, ffnBias: true },
  'positions divided': { ropeScaling: { kind: 'linear', factor: 4 } },
  yarn: {
    ropeScaling: {
      kind: 'yarn',
      factor: 4,
      originalContext: 64,
      betaFast: 32,
      betaSlow: 1,
      attentionFactor: 1.14,
    },
  },
  'as Llama 3.1': {
    ropeScaling: {
      kind: 'llama3',
      factor: 8,
      lowFrequencyFactor: 1,
      highFrequencyFactor: 4,
      originalContext: 64,
    },
  },
};

describe.skipIf(!hasGgml())('logits, K and V of ggml are those of the reference in f32', () => {
  it.each(ARCHITECTURES)('random models of family %s', async (arch) => {
    await fc.assert(
      fc.asyncProperty(arbitraryConfig(arch), fc.nat(1000), async (drawn, seed) => {
        // An encoder has a row of weights for every position.
        const config = { ...drawn, contextLength: Math.min(drawn.contextLength, 64) };
        const { tfjs, ggml } = await pair(config, randomWeights(config, seed));
        await agree(tfjs, ggml, config);
        for (const engine of engines.splice(0)) engine.dispose();
      }),
      { numRuns: 8 },
    );
  });

  it.each(Object.entries(VARIANTS))('%s', async (_, overrides) => {
    const config = tinyConfig(overrides);
    const { tfjs, ggml } = await pair(config, randomWeights(config));
    await agree(tfjs, ggml, config);
  });
});

describe.skipIf(!hasGgml())('ggml engine', () => {
  it('gives the same bits run after run, and with other threads', async () => {
    const config = tinyConfig({ moe: { experts: 8, expertsPerToken: 3, expertFfn: 32, renormalise: false } });
    const weights = randomWeights(config, 6);
    const rows = randomRows(config, 40, 8);
    const found: Float32Array[] = [];
    for (const threads of [1, 2]) {
      const engine = await createGgmlEngine(config, weights, { threads });
      engines.push(engine);
      for (let version = 1; version < 4; version++)
        found.push((await engine.run(denoisePass(version, rows))).logits);
    }
    for (const logits of found) expect(logits).toEqual(found[0]);
  });

  it('gives a row the same logits alone as among all', async () => {
    const config = tinyConfig();
    const { ggml } = await pair(config, randomWeights(config, 6));
    const rows = randomRows(config, 32, 8);
    const all = (await ggml.run(denoisePass(1, rows))).logits;
    for (const row of [0, 17, 31]) {
      const alone = (await ggml.run(denoisePass(2 + row, rows, { logits: [row] }))).logits;
      expect(farthest(alone, all.subarray(row * config.vocab, (row + 1) * config.vocab))).toBeLessThan(1e-5);
    }
  });

  it('refuses ids, positions and entries that are not there', async () => {
    const config = tinyConfig();
    const { ggml } = await pair(config, randomWeights(config));
    await expect(ggml.run(denoisePass(1, [{ position: 0, feed: 40 }]))).rejects.toThrow(
      /token id 40 is outside/,
    );
    await expect(ggml.run(denoisePass(1, [{ position: 256, feed: 1 }]))).rejects.toThrow(
      /position 256 is outside the context of 256/,
    );
    const reads = [{ position: 3, version: 9 }];
    await expect(ggml.run(denoisePass(1, [{ position: 4, feed: 1 }], { reads }))).rejects.toThrow(
      /does not exist/,
    );
    await ggml.run(denoisePass(1, [{ position: 4, feed: 1 }]));
    await expect(ggml.run(denoisePass(1, [{ position: 4, feed: 1 }]))).rejects.toThrow(/written twice/);
    ggml.dispose();
    await expect(ggml.run(denoisePass(2, [{ position: 4, feed: 1 }]))).rejects.toThrow(/disposed/);
  });
});
