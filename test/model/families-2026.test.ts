import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createNpuNumericsEngine } from '../../src/engine/npu-numerics/engine.js';
import { createOrtEngine } from '../../src/engine/ort/engine.js';
import { createTfjsEngine } from '../../src/engine/tfjs/engine.js';
import { writeModelGguf } from '../../src/model/formats/convert.js';
import { configToGguf } from '../../src/model/formats/gguf-config.js';
import { openGguf } from '../../src/model/formats/gguf-source.js';
import type { GgufValue } from '../../src/model/formats/gguf-types.js';
import { writeGguf } from '../../src/model/formats/gguf-write.js';
import { type SafetensorsTensor, writeSafetensors } from '../../src/model/formats/safetensors-write.js';
import { loadModel } from '../../src/model/load.js';
import { resolvePreset } from '../../src/model/presets.js';
import { rotationOf } from '../../src/model/rope.js';
import { weightShapes } from '../../src/model/weight-ids.js';
import { inBlocks } from '../../src/pass/groups.js';
import { llamaMissing, loadLlama } from '../oracle/libllama.js';
import { denoisePass, textRows } from '../support/passes.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { randomWeights, tinyConfig } from '../support/tiny-model.js';

interface Golden {
  readonly ids: readonly number[];
  readonly models: Readonly<
    Record<
      string,
      {
        readonly config: Readonly<Record<string, unknown>>;
        readonly tensors: Readonly<Record<string, readonly number[]>>;
        readonly logits: readonly (readonly number[])[];
      }
    >
  >;
}

// origin: tools/golden/family_logits.py, float64 modules written from the published code.
const golden = JSON.parse(
  readFileSync(join(import.meta.dirname, '../golden/family-logits.json'), 'utf8'),
) as Golden;

/** `weight` of the script. */
function weightOf(name: string, shape: readonly number[]): Float32Array {
  const sum = [...name].reduce((total, c, i) => total + (i + 1) * c.charCodeAt(0), 0);
  const phase = (sum % 1000) / 7;
  const count = shape.reduce((a, b) => a * b, 1);
  return Float32Array.from({ length: count }, (_, i) => {
    const wave = Math.sin(i * 12.9898 + phase) * 43758.5453;
    const noise = 2 * (wave - Math.floor(wave)) - 1;
    if (shape.length > 1) return Math.sqrt(3 / (shape.at(-1) ?? 1)) * noise;
    return name.endsWith('expert_bias') ? 0.2 * noise : 1 + 0.2 * noise;
  });
}

async function writeGoldenFolder(name: string): Promise<string> {
  const { config, tensors } = golden.models[name];
  const directory = temporaryDirectory();
  const stored = new Map<string, SafetensorsTensor>();
  for (const [tensor, shape] of Object.entries(tensors))
    stored.set(tensor, { shape, dtype: 'f32', values: () => weightOf(tensor, shape) });
  await writeSafetensors(join(directory, 'model.safetensors'), stored);
  writeFileSync(join(directory, 'config.json'), JSON.stringify(config));
  return directory;
}

const off = (actual: ArrayLike<number>, expected: readonly number[]) =>
  expected.reduce((max, value, i) => Math.max(max, Math.abs(value - actual[i])), 0);

const ENGINES = [
  ['tfjs', createTfjsEngine, 1e-4],
  ['ort', createOrtEngine, 1e-4],
  // It rounds as the NPU does.
  ['npu-numerics', createNpuNumericsEngine, 0.3],
] as const;

describe.each(Object.keys(golden.models))('a folder of %s as published', (name) => {
  const expected = golden.models[name].logits.flat();

  it.each(ENGINES)('%s has the logits of the published code', async (_, create, bound) => {
    const { config, weights } = await loadModel(await writeGoldenFolder(name));
    const engine = await create(config, weights);
    const rows = golden.ids.map((feed, position) => ({ position, feed }));
    const { logits } = await engine.run(inBlocks(denoisePass(0, rows), config.blockLength ?? 0));
    engine.dispose();
    await weights.close();
    expect(off(logits, expected)).toBeLessThan(bound);
  });
});

describe('LLaDA2 in GGUF, with the names of the open pull request', () => {
  it('is read as it was written: Q, K and V in one tensor', async () => {
    const { config, weights } = await loadModel(await writeGoldenFolder('llada2'));
    const path = join(temporaryDirectory(), 'm.gguf');
    await writeModelGguf(config, weights, path, null, new Map());
    const read = await openGguf(path);
    expect({ ...read.config, name: '' }).toEqual({ ...config, name: '' });
    for (const id of weightShapes(config).keys())
      expect(await read.weights.read(id), id).toEqual(await weights.read(id));
    const bytes = readFileSync(path).toString('latin1');
    expect(bytes).toContain('blk.1.attn_qkv.weight');
    expect(bytes).toContain('blk.1.exp_probs_b.bias');
    expect(bytes).not.toContain('blk.1.attn_q.weight');
    await read.weights.close();
    await weights.close();
  });
});

describe.skipIf(llamaMissing !== null)('the graphs that were taken over are those of llama.cpp', () => {
  const size = { headDim: 32, hidden: 64, heads: 2, kvHeads: 1, ffn: 96, vocab: 64, tiedHead: false };
  it.each([
    ['sdar', 'qwen3', tinyConfig({ ...size, arch: 'sdar', qkNorm: true })],
    ['fast-dllm-v2', 'qwen2', tinyConfig({ ...size, arch: 'fast-dllm-v2', qkvBias: true })],
    ['wedlm of Qwen3', 'qwen3', tinyConfig({ ...size, arch: 'wedlm', qkNorm: true })],
  ] as const)('%s has the logits of %s', async (_, graph, config) => {
    const weights = randomWeights(config, 3);
    // The keys of a family that has a GGUF form, under the name of the graph.
    const keys = configToGguf({ ...config, arch: 'dream' }, 'f32');
    const metadata = new Map<string, GgufValue>(
      [...keys].map(([key, value]) => [key.replace(/^dream\./, `${graph}.`), value]),
    );
    metadata.delete(`${graph}.attention.causal`);
    metadata.set('general.architecture', { type: 'string', value: graph });
    metadata.set('tokenizer.ggml.model', { type: 'string', value: 'none' });
    const tensors = new Map(
      [...weightShapes(config)].map(([id, shape]) => [
        id,
        { shape, dtype: 'f32' as const, bytes: () => weights.readRaw(id) },
      ]),
    );
    const path = join(temporaryDirectory(), 'm.gguf');
    await writeGguf(path, metadata, tensors);
    const ids = [7, 8, 9, 20, 11, 5, 30, 6, 14];
    const oracle = (await loadLlama()).open(path);
    const expected = [...oracle.logits(ids)];
    oracle.close();
    const engine = await createTfjsEngine(config, weights);
    const { logits } = await engine.run(denoisePass(0, textRows(ids), { visibility: 'causal' }));
    engine.dispose();
    expect(off(logits, expected)).toBeLessThan(1e-4);
  });
});

describe('rotary positions of the published configurations', () => {
  it('Nemotron: YaRN keeps fast channels, divides slow ones by 16, and lengthens nothing', () => {
    const {
      headDim: dims,
      ropeTheta: theta,
      ropeScaling: scaling,
    } = resolvePreset('nemotron-labs-diffusion-8b');
    const { frequencies, magnitude } = rotationOf({ dims, theta, scaling });
    const plain = (pair: number) => 1e6 ** (-pair / 64);
    expect(magnitude).toBe(1);
    // 16384 / (32 * 2 pi) = 81.49 and 16384 / (2 pi) = 2607.6: pairs floor(20.38) and ceil(36.44).
    expect(frequencies[20]).toBeCloseTo(plain(20), 15);
    expect(frequencies[37]).toBeCloseTo(plain(37) / 16, 15);
    // One of 17 steps along the ramp: 1/17 divided, 16/17 kept.
    expect(frequencies[21] / plain(21)).toBeCloseTo(16 / 17 + 1 / 17 / 16, 12);
  });

  it('LLaDA2: 64 of 128 channels turn, with their own spacing', () => {
    const { ropeDims = 0, ropeTheta: theta } = resolvePreset('llada2-mini');
    const { frequencies } = rotationOf({ dims: ropeDims, theta });
    expect(frequencies).toHaveLength(32);
    expect(frequencies[1]).toBeCloseTo(600_000 ** (-2 / 64), 15);
  });
});
