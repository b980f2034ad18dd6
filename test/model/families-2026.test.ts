import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { composePolicy } from '../../src/decode/method/compose.js';
import { decode } from '../../src/decode/method/session.js';
import { checkFit, policySpecByName, usualPolicy } from '../../src/decode/policies.js';
import { parsePolicySpec } from '../../src/decode/spec.js';
import type { Engine } from '../../src/engine/engine.js';
import { createGgmlEngine } from '../../src/engine/ggml/engine.js';
import { hasGgml } from '../../src/engine/ggml/package.js';
import { createNpuNumericsEngine } from '../../src/engine/npu-numerics/engine.js';
import { createOrtEngine } from '../../src/engine/ort/engine.js';
import { createTfjsEngine } from '../../src/engine/tfjs/engine.js';
import { writeModelGguf } from '../../src/model/formats/convert.js';
import { configToGguf } from '../../src/model/formats/gguf-config.js';
import { openGguf } from '../../src/model/formats/gguf-source.js';
import type { GgufValue } from '../../src/model/formats/gguf-types.js';
import { writeGguf } from '../../src/model/formats/gguf-write.js';
import { type SafetensorsTensor, writeSafetensors } from '../../src/model/formats/safetensors-write.js';
import { writeCheckpoint } from '../../src/model/formats/write-checkpoint.js';
import { loadModel } from '../../src/model/load.js';
import { resolvePreset } from '../../src/model/presets.js';
import { rotationOf } from '../../src/model/rope.js';
import { weightShapes } from '../../src/model/weight-ids.js';
import { inBlocks } from '../../src/pass/groups.js';
import type { Pass } from '../../src/pass/pass.js';
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
  /** A draft pass: rows that see each other, with the adapter of the folder beside the model. */
  readonly adapter: {
    readonly model: string;
    readonly config: Readonly<Record<string, unknown>>;
    readonly tensors: Readonly<Record<string, readonly number[]>>;
    readonly logits: readonly (readonly number[])[];
  };
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

async function logitsOf(engine: Engine, pass: Pass): Promise<Float32Array> {
  const { logits } = await engine.run(pass);
  engine.retain([]);
  return logits;
}

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

describe('the adapter that Nemotron-Labs-Diffusion drafts with', () => {
  const { model, config: stated, tensors, logits: published } = golden.adapter;
  const rows = golden.ids.map((feed, position) => ({ position, feed }));
  const drafting = (id: number): Pass => ({ ...denoisePass(id, rows), adapter: true });

  async function folder(changes: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const directory = await writeGoldenFolder(model);
    const beside = join(directory, 'linear_spec_lora');
    mkdirSync(beside);
    const stored = new Map<string, SafetensorsTensor>();
    for (const [tensor, shape] of Object.entries(tensors))
      stored.set(tensor, { shape, dtype: 'f32', values: () => weightOf(tensor, shape) });
    await writeSafetensors(join(beside, 'adapter_model.safetensors'), stored);
    writeFileSync(join(beside, 'adapter_config.json'), JSON.stringify({ ...stated, ...changes }));
    return directory;
  }

  it.each([...ENGINES, ...(hasGgml() ? ([['ggml', createGgmlEngine, 1e-4]] as const) : [])])(
    '%s: logits of a draft pass have it, those of all others do not',
    async (_, create, bound) => {
      const { config, weights } = await loadModel(await folder());
      const engine = await create(config, weights);
      const block = inBlocks(denoisePass(0, rows), config.blockLength ?? 0);
      const plain = golden.models[model].logits.flat();
      // A draft between two passes that are none: nothing of it stays behind.
      expect(off(await logitsOf(engine, block), plain)).toBeLessThan(bound);
      expect(off(await logitsOf(engine, drafting(100)), published.flat())).toBeLessThan(bound);
      expect(off(await logitsOf(engine, block), plain)).toBeLessThan(bound);
      engine.dispose();
      await weights.close();
    },
  );

  it('is written where it was read, and is the same then', async () => {
    const { config, weights } = await loadModel(await folder());
    const copy = temporaryDirectory();
    await writeCheckpoint(config, weights, copy, null, null);
    const again = await loadModel(copy);
    expect({ ...again.config, name: '' }).toEqual({ ...config, name: '' });
    expect(again.config.draftAdapter).toEqual({ rank: 4 });
    for (const id of weightShapes(config).keys())
      expect(await again.weights.read(id), id).toEqual(await weights.read(id));
    await weights.close();
    await again.weights.close();
  });

  it.each([
    [{ target_modules: ['o_proj', 'q_proj'] }, /target_modules o_proj, q_proj: only o_proj is supported/],
    [{ use_dora: true }, /use_dora true is not supported, and would change the drafts/],
    [{ rank_pattern: { o_proj: 8 } }, /rank_pattern .* is not supported/],
    [{ peft_type: 'LOHA' }, /peft_type/],
    [{ r: 8 }, /lora_a.weight has shape \[4, 64\], .* needs \[8, 64\]/],
  ])('%j is refused', async (changes, message) => {
    await expect(loadModel(await folder(changes))).rejects.toThrow(message);
  });

  it('is refused without its weights, and weights of it without its description', async () => {
    const lost = await folder();
    rmSync(join(lost, 'linear_spec_lora/adapter_model.safetensors'));
    await expect(loadModel(lost)).rejects.toThrow(/adapter_model.safetensors is missing/);
    const bare = await folder();
    renameSync(join(bare, 'linear_spec_lora/adapter_model.safetensors'), join(bare, 'model.safetensors'));
    rmSync(join(bare, 'linear_spec_lora'), { recursive: true });
    await expect(loadModel(bare)).rejects.toThrow(/have no such weight here/);
  });
});

describe('LLaDA2.2, whose tokens DELETE and SPLIT are orders', () => {
  async function folder(keys: Readonly<Record<string, unknown>>): Promise<string> {
    const directory = await writeGoldenFolder('llada2');
    const path = join(directory, 'config.json');
    const stated = JSON.parse(readFileSync(path, 'utf8')) as object;
    writeFileSync(path, JSON.stringify({ ...stated, ...keys }));
    return directory;
  }
  const ORDERS = { delete_token_id: 38, split_token_id: 39 };

  it('is decoded by what obeys them, and by nothing that takes them for text', async () => {
    const { config, weights } = await loadModel(await folder(ORDERS));
    expect(config.orders).toEqual({ deleteId: 38, splitId: 39 });
    const spec = usualPolicy(config);
    expect(spec.commit).toMatchObject({ kind: 'indel', deleteId: 38, splitId: 39 });
    expect(spec.blockLength).toBe(4);
    checkFit(spec, config);
    expect(() =>
      checkFit(parsePolicySpec({ ...policySpecByName('block-causal'), blockLength: 4 }), config),
    ).toThrow(/writes 38 for DELETE and 39 for SPLIT, and policy block-causal takes them for text/);
    const plain = resolvePreset('llada2-mini');
    expect(() => checkFit({ ...spec, blockLength: 32 }, plain)).toThrow(
      /llada2-mini has no tokens that are orders, and policy joint-threshold-indel takes 38 for DELETE/,
    );
    const engine = await createTfjsEngine(config, weights);
    const { tokens } = await decode({
      policy: composePolicy(spec),
      engine,
      promptIds: [7, 8, 9],
      genLength: 12,
    });
    engine.dispose();
    for (const order of [38, 39]) expect(tokens).not.toContain(order);
    const copy = temporaryDirectory();
    await writeCheckpoint(config, weights, copy, null, null);
    const again = await loadModel(copy);
    expect(again.config.orders).toEqual(config.orders);
    await again.weights.close();
    await expect(writeModelGguf(config, weights, join(copy, 'm.gguf'), null, new Map())).rejects.toThrow(
      /no key for its tokens DELETE and SPLIT/,
    );
    await weights.close();
  });

  it.each([
    [{ delete_token_id: 38 }, /split_token_id is missing/],
    [{ ...ORDERS, split_token_id: 38 }, /must differ/],
    [{ ...ORDERS, delete_token_id: 5 }, /must differ/],
    [{ ...ORDERS, split_token_id: 40 }, /split_token_id 40 is outside the vocabulary of 40/],
  ])('%j is refused', async (keys, message) => {
    await expect(loadModel(await folder(keys))).rejects.toThrow(message);
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
