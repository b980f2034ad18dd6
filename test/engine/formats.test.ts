import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine/engine.js';
import { createNpuNumericsEngine } from '../../src/engine/npu-numerics/engine.js';
import { createOrtEngine } from '../../src/engine/ort/engine.js';
import { createTfjsEngine } from '../../src/engine/tfjs/engine.js';
import type { ModelConfig } from '../../src/model/config.js';
import { CODECS, WEIGHT_DTYPES, type WeightDType } from '../../src/model/formats/blocks/index.js';
import { writeModelGguf } from '../../src/model/formats/convert.js';
import { openGguf } from '../../src/model/formats/gguf-source.js';
import type { WeightSource } from '../../src/model/weights.js';
import { llamaMissing, loadLlama } from '../oracle/libllama.js';
import { storedWeights } from '../support/blocks.js';
import { denoisePass, randomRows } from '../support/passes.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { tinyConfig } from '../support/tiny-model.js';

const directory = temporaryDirectory();

const LLAMA = tinyConfig({
  arch: 'llama',
  attention: 'causal',
  hidden: 256,
  heads: 4,
  kvHeads: 2,
  headDim: 64,
  ffn: 512,
  vocab: 70,
  tiedHead: false,
});
const LLADA = tinyConfig({ layers: 1, hidden: 256, heads: 4, kvHeads: 4, headDim: 64, ffn: 256, vocab: 70 });
const ROUTED = tinyConfig({
  arch: 'llada-moe',
  layers: 1,
  hidden: 256,
  heads: 4,
  kvHeads: 4,
  headDim: 64,
  qkNorm: true,
  tiedHead: false,
  moe: { experts: 4, expertsPerToken: 2, expertFfn: 256, renormalise: false },
});

async function logits(engine: Promise<Engine>, config: ModelConfig): Promise<Float32Array> {
  const opened = await engine;
  const rows = randomRows(config, 7, 3);
  const visibility = config.attention === 'causal' ? 'causal' : 'all';
  const { logits: values } = await opened.run(denoisePass(0, rows, { visibility }));
  opened.dispose();
  return values;
}

function farthest(a: Float32Array, b: Float32Array): number {
  expect(a).toHaveLength(b.length);
  return a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i])), 0);
}

async function agrees(config: ModelConfig, stored: WeightSource, decoded: WeightSource): Promise<void> {
  const expected = await logits(createTfjsEngine(config, decoded), config);
  expect(expected.every(Number.isFinite)).toBe(true);
  expect(farthest(await logits(createTfjsEngine(config, stored), config), expected)).toBe(0);
  expect(farthest(await logits(createOrtEngine(config, stored), config), expected)).toBeLessThan(1e-4);
  const rounded = await logits(createNpuNumericsEngine(config, decoded), config);
  expect(farthest(await logits(createNpuNumericsEngine(config, stored), config), rounded)).toBe(0);
}

const PACKED = WEIGHT_DTYPES.filter((dtype) => CODECS[dtype].packed !== null);

describe('every engine runs every format', () => {
  it.each(PACKED)('%s, head tied to the embedding', async (dtype) => {
    const { stored, decoded } = storedWeights(LLADA, () => dtype);
    await agrees(LLADA, stored, decoded);
  });

  it.each(['q4_k', 'iq4_xs'] as const)('%s in routed experts', async (dtype) => {
    const { stored, decoded } = storedWeights(ROUTED, () => dtype);
    await agrees(ROUTED, stored, decoded);
  });

  it('all of them in one file, as hubs have them', async () => {
    let next = 0;
    const formats = new Map<string, WeightDType>();
    const { stored, decoded } = storedWeights(LLAMA, (id) => {
      formats.set(id, WEIGHT_DTYPES[next++ % WEIGHT_DTYPES.length]);
      return formats.get(id)!;
    });
    await agrees(LLAMA, stored, decoded);
  });
});

const none = new Map([['tokenizer.ggml.model', { type: 'string', value: 'none' } as const]]);

describe.skipIf(llamaMissing !== null)('logits of a file are those of libllama on its values in f32', () => {
  // Each on one of the two kinds of model; on both under `npm run fuzz`.
  const both = process.env.DLLM_FUZZ_RUNS !== undefined;
  it.each(PACKED.map((dtype, at) => [dtype, at] as const))('%s', async (dtype, at) => {
    for (const config of [{ ...LLAMA, layers: 1 }, LLADA].filter((_, kind) => both || kind === at % 2)) {
      const { stored, decoded } = storedWeights(config, () => dtype, 5);
      const [file, plain] = [join(directory, `${dtype}.gguf`), join(directory, `${dtype}-f32.gguf`)];
      await writeModelGguf(config, stored, file, null, none);
      await writeModelGguf(config, decoded, plain, null, none);
      const oracle = (await loadLlama()).open(plain);
      const expected = oracle.logits(randomRows(config, 7, 3).map(({ feed }) => feed));
      oracle.close();
      const { weights, config: read } = await openGguf(file);
      for (const engine of [createTfjsEngine(read, weights), createOrtEngine(read, weights)])
        expect(farthest(await logits(engine, read), expected)).toBeLessThan(1e-4);
      await weights.close();
    }
  });
});
