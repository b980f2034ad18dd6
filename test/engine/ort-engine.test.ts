import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { composePolicy } from '../../src/decode/method/compose.js';
import { decode } from '../../src/decode/method/session.js';
import { policySpecByName } from '../../src/decode/policies.js';
import type { Engine } from '../../src/engine/engine.js';
import { createOrtEngine } from '../../src/engine/ort/engine.js';
import type { OrtEngineOptions } from '../../src/engine/ort/options.js';
import { q4BlobsAvailable } from '../../src/engine/ort/q4-blobs.js';
import { createTfjsEngine } from '../../src/engine/tfjs/engine.js';
import type { ModelConfig } from '../../src/model/config.js';
import { loadModel } from '../../src/model/load.js';
import { encodePrompt } from '../../src/model/prompt.js';
import { syntheticShapes } from '../../src/model/synthetic/shapes.js';
import { syntheticWeights } from '../../src/model/synthetic/weights.js';
import type { WeightSource } from '../../src/model/weights.js';
import { decodeModel } from '../../src/onnx/onnx-proto.js';
import type { Pass } from '../../src/pass/pass.js';
import { generateProblem } from '../../src/score/problems.js';
import { denoisePass, randomRows } from '../support/passes.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { randomWeights, tinyConfig } from '../support/tiny-model.js';

const engines: Engine[] = [];
afterEach(() => {
  for (const engine of engines.splice(0)) engine.dispose();
});

async function pair(config: ModelConfig, weights: WeightSource, options: OrtEngineOptions = {}) {
  const tfjs = await createTfjsEngine(config, weights);
  const ort = await createOrtEngine(config, weights, options);
  engines.push(tfjs, ort);
  return { tfjs, ort };
}

function maxDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  expect(a.length).toBeGreaterThan(0);
  let worst = 0;
  for (let i = 0; i < a.length; i++) worst = Math.max(worst, Math.abs(a[i]! - b[i]!));
  return worst;
}

const VARIANTS: Record<string, Partial<ModelConfig>> = {
  'llada, tied head': {},
  'dream: grouped-query attention, QKV bias': { arch: 'dream', kvHeads: 2, qkvBias: true, tiedHead: false },
  'llada-moe: QK-norm, routed experts': {
    arch: 'llada-moe',
    qkNorm: true,
    tiedHead: false,
    moe: { experts: 8, expertsPerToken: 3, expertFfn: 16, renormalise: false },
  },
  'experts with renormalisation, most of them idle': {
    moe: { experts: 24, expertsPerToken: 2, expertFfn: 16, renormalise: true },
  },
  llama: { arch: 'llama', kvHeads: 1, tiedHead: false, attention: 'causal', shiftLogits: true },
  'heads wider than the residual': { headDim: 12, heads: 3, kvHeads: 3 },
};

describe('ort engine', () => {
  it.each(Object.entries(VARIANTS))('agrees with tfjs in f32: %s', async (_, overrides) => {
    const config = tinyConfig(overrides);
    const { tfjs, ort } = await pair(config, randomWeights(config));
    const prefix = denoisePass(0, randomRows(config, 6, 3), {
      kind: 'prefill',
      logits: [],
      visibility: 'causal',
    });
    for (const engine of [tfjs, ort]) expect((await engine.run(prefix)).logits).toHaveLength(0);
    const reads = prefix.rows.map(({ position }) => ({ position, version: 0 }));
    const window = randomRows(config, 7, 5, 6);
    const passes: Partial<Pass>[] = [
      {},
      { reads },
      { reads: reads.slice(1, 4), visibility: 'causal' },
      { reads, visibility: 'self', logits: [5, 0, 3] },
    ];
    for (const [index, rest] of passes.entries()) {
      const asked = denoisePass(index + 1, window, rest);
      const expected = (await tfjs.run(asked)).logits.slice();
      expect(maxDifference((await ort.run(asked)).logits, expected)).toBeLessThan(1e-4);
      for (const { position } of window) {
        const ref = { position, version: asked.version };
        const [a, b] = [tfjs.readKv(ref), ort.readKv(ref)];
        for (let layer = 0; layer < config.layers; layer++) {
          expect(maxDifference(a.k[layer]!, b.k[layer]!)).toBeLessThan(1e-4);
          expect(maxDifference(a.v[layer]!, b.v[layer]!)).toBeLessThan(1e-4);
        }
      }
    }
  });

  it.each(
    (['llada', 'dream', 'llada-moe', 'llama'] as const).flatMap((arch) =>
      (['q4_0', 'q8_0', 'f16'] as const).map((quant) => [arch, quant] as const),
    ),
  )('agrees with weights dequantised to f32: %s %s', async (arch, quant) => {
    const config = syntheticShapes(arch, 'tiny');
    const { tfjs, ort } = await pair(config, syntheticWeights(config, quant, 4));
    const asked = denoisePass(1, randomRows(config, 9, 2), {
      visibility: arch === 'llama' ? 'causal' : 'all',
    });
    const expected = (await tfjs.run(asked)).logits;
    expect(expected.reduce((worst, x) => Math.max(worst, Math.abs(x)), 0)).toBeGreaterThan(1);
    expect(maxDifference((await ort.run(asked)).logits, expected)).toBeLessThan(1e-3);
  });

  it.each(['q4_0', 'q8_0'] as const)(
    'multiplies %s blocks in place to the same logits as codes and scales',
    async (quant) => {
      const available = await q4BlobsAvailable();
      // Where there is no kernel, codes and scales must have been taken both times.
      for (const arch of ['llada', 'llada-moe']) {
        const config = syntheticShapes(arch, 'tiny');
        const weightsPath = join(temporaryDirectory(), 'weights.bin');
        writeFileSync(weightsPath, arch);
        const options = { weightsPath, cacheDirectory: join(temporaryDirectory(), 'cache') };
        const open = () => createOrtEngine(config, syntheticWeights(config, quant, 4), options);
        const inPlace = await open();
        vi.stubEnv('DLLM_NPU_Q4_BLOBS', '0');
        const byCodes = await open();
        vi.unstubAllEnvs();
        engines.push(inPlace, byCodes);
        // Two models, each with data of its own.
        expect(readdirSync(options.cacheDirectory)).toHaveLength(available ? 4 : 2);
        const operators = readdirSync(options.cacheDirectory)
          .filter((name) => name.endsWith('.onnx'))
          .map((name) => decodeModel(readFileSync(join(options.cacheDirectory, name))).graph.node)
          .map((nodes) => nodes.filter(({ opType }) => opType === 'MatMulFpQ4').length > 0);
        expect(operators.sort()).toEqual(available ? [false, true] : [false]);
        for (const rows of [1, 7, 33]) {
          const asked = denoisePass(rows, randomRows(config, rows, 2));
          const expected = (await byCodes.run(asked)).logits.slice();
          expect(maxDifference((await inPlace.run(asked)).logits, expected)).toBeLessThan(1e-5);
        }
      }
    },
  );

  it('with activations rounded to 8 bits is close, and not the same', async () => {
    const config = syntheticShapes('llada', 'tiny');
    const { tfjs, ort } = await pair(config, syntheticWeights(config, 'q4_0', 4), { compute: 'int8' });
    const asked = denoisePass(1, randomRows(config, 9, 2));
    const difference = maxDifference((await ort.run(asked)).logits, (await tfjs.run(asked)).logits);
    expect(difference).toBeGreaterThan(1e-3);
    expect(difference).toBeLessThan(0.5);
  });

  it('gives a row the same logits alone as among all', async () => {
    const config = syntheticShapes('llada', 'tiny');
    const { ort } = await pair(config, syntheticWeights(config, 'q4_0', 6));
    const rows = randomRows(config, 32, 8);
    const all = (await ort.run(denoisePass(1, rows))).logits.slice();
    for (const row of [0, 17, 31]) {
      const alone = (await ort.run(denoisePass(2 + row, rows, { logits: [row] }))).logits;
      expect(maxDifference(alone, all.subarray(row * config.vocab, (row + 1) * config.vocab))).toBeLessThan(
        1e-5,
      );
    }
  });

  it('gives the same bits run after run', async () => {
    const config = syntheticShapes('llada-moe', 'tiny');
    const { ort } = await pair(config, syntheticWeights(config, 'q4_0', 6), { threads: 2 });
    const rows = randomRows(config, 20, 8);
    const first = (await ort.run(denoisePass(1, rows))).logits.slice();
    for (let version = 2; version < 4; version++) {
      expect((await ort.run(denoisePass(version, rows))).logits).toEqual(first);
    }
  });

  it('decodes the shipped model to the same tokens as tfjs', async () => {
    const model = await loadModel('tiny-llada');
    const { tfjs, ort } = await pair(model.config, model.weights, { threads: 2 });
    const { prompt } = generateProblem(1, 3, 'long', 'heldout');
    const promptIds = encodePrompt(model.tokenizer!, prompt);
    for (const name of ['block-kv', 'llada.cpp']) {
      const run = (engine: Engine) =>
        decode({
          policy: composePolicy({ ...policySpecByName(name), blockLength: 16 }),
          engine,
          promptIds,
          genLength: 32,
        });
      const expected = await run(tfjs);
      const actual = await run(ort);
      expect(actual.tokens).toEqual(expected.tokens);
      expect(actual.counters).toEqual(expected.counters);
    }
    await model.weights.close();
  });

  it('refuses ids and positions outside the model', async () => {
    const config = tinyConfig();
    const { ort } = await pair(config, randomWeights(config));
    await expect(ort.run(denoisePass(1, [{ position: 0, feed: 40 }]))).rejects.toThrow(
      /token id 40 is outside/,
    );
    await expect(ort.run(denoisePass(1, [{ position: 256, feed: 1 }]))).rejects.toThrow(
      /position 256 is outside the context of 256/,
    );
    const reads = [{ position: 3, version: 9 }];
    await expect(ort.run(denoisePass(1, [{ position: 4, feed: 1 }], { reads }))).rejects.toThrow(
      /does not exist/,
    );
  });

  it('removes its files when disposed, and keeps those of a cache', async () => {
    const config = tinyConfig();
    const mine = () => readdirSync(tmpdir()).filter((name) => name.startsWith('dllm-npu-ort-'));
    const before = new Set(mine());
    const temporary = await createOrtEngine(config, randomWeights(config));
    const [made] = mine().filter((name) => !before.has(name));
    expect(made).toBeDefined();
    temporary.dispose();
    await vi.waitFor(() => expect(existsSync(join(tmpdir(), made!))).toBe(false));

    const weightsPath = join(temporaryDirectory(), 'weights.bin');
    writeFileSync(weightsPath, 'identity');
    const cacheDirectory = join(temporaryDirectory(), 'cache');
    let writes = 0;
    const options = { weightsPath, cacheDirectory, onProgress: () => writes++ };
    (await createOrtEngine(config, randomWeights(config), options)).dispose();
    expect(writes).toBeGreaterThan(0);
    writes = 0;
    (await createOrtEngine(config, randomWeights(config), options)).dispose();
    // The other kind of product reads the same data file.
    (await createOrtEngine(config, randomWeights(config), { ...options, compute: 'int8' })).dispose();
    expect(writes).toBe(0);
    expect(readdirSync(cacheDirectory)).toHaveLength(3);
    // A changed weights file is another model.
    writeFileSync(weightsPath, 'another identity');
    (await createOrtEngine(config, randomWeights(config), options)).dispose();
    expect(writes).toBeGreaterThan(0);
  });
});
