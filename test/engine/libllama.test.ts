import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createTfjsEngine } from '../../src/engine/tfjs/engine.js';
import type { ModelConfig } from '../../src/model/config.js';
import { writeModelGguf } from '../../src/model/formats/convert.js';
import { openGguf } from '../../src/model/formats/gguf-source.js';
import { denoisePass, textRows } from '../support/passes.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { randomWeights, tinyConfig } from '../support/tiny-model.js';

/**
 * Logits of llama.cpp for small random models of every architecture, computed from the GGUF files this test writes
 * (tools/golden/libllama_logits.py; set DLLM_GGUF_DIRECTORY to keep the files). Covers what no shipped model does:
 * grouped-query attention, QKV bias, QK-norm, routed experts, both rotary orders, causal attention.
 */
interface Golden {
  readonly origin: string;
  readonly ids: number[];
  readonly logits: Record<string, number[]>;
}

const golden = JSON.parse(
  readFileSync(new URL('../golden/libllama-logits.json', import.meta.url), 'utf8'),
) as Golden;

const size = { hidden: 64, headDim: 16, ffn: 96, tiedHead: false };
const moe = { experts: 8, expertsPerToken: 3, expertFfn: 32, renormalise: false };
const MODELS: Record<string, Partial<ModelConfig>> = {
  llada: { ...size, ropeTheta: 500_000 },
  'llada-tied': { ...size, tiedHead: true, kvHeads: 2 },
  dream: {
    ...size,
    arch: 'dream',
    kvHeads: 2,
    qkvBias: true,
    shiftLogits: true,
    ropeTheta: 1e6,
    rmsEps: 1e-6,
  },
  'llada-moe': { ...size, arch: 'llada-moe', qkNorm: true, ffn: 0, moe, ropeTheta: 50_000 },
  llama: { ...size, arch: 'llama', kvHeads: 2, attention: 'causal', shiftLogits: true },
};

/** llama.cpp keeps the KV cache of the causal model in f16; the others have none. */
const tolerance = (name: string) => (name === 'llama' ? 1e-2 : 1e-4);

describe('logits of llama.cpp', () => {
  it.each(Object.entries(MODELS))('%s', async (name, overrides) => {
    const config = tinyConfig(overrides);
    const path = join(process.env.DLLM_GGUF_DIRECTORY ?? temporaryDirectory(), `${name}.gguf`);
    const none = new Map([['tokenizer.ggml.model', { type: 'string', value: 'none' } as const]]);
    await writeModelGguf(config, randomWeights(config, 3), path, 'f32', none);
    const model = await openGguf(path);
    const engine = await createTfjsEngine(model.config, model.weights);
    const { logits } = await engine.run(
      denoisePass(0, textRows(golden.ids), { visibility: config.attention === 'causal' ? 'causal' : 'all' }),
    );
    const expected = golden.logits[name] ?? [];
    expect(logits.length).toBe(expected.length);
    const worst = expected.reduce((max, value, i) => Math.max(max, Math.abs(value - logits[i]!)), 0);
    expect(worst).toBeLessThan(tolerance(name));
    engine.dispose();
    await model.weights.close();
  });
});
