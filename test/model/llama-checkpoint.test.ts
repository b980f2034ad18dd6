import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ModelConfig } from '../../src/model/config.js';
import { encodeWeight } from '../../src/model/formats/codec.js';
import { writeModelGguf } from '../../src/model/formats/convert.js';
import { parseHfConfig, recogniseHfConfig } from '../../src/model/formats/hf-config.js';
import { placeOfHfName } from '../../src/model/formats/hf-names.js';
import { openSafetensors } from '../../src/model/formats/safetensors-source.js';
import { type SafetensorsTensor, writeSafetensors } from '../../src/model/formats/safetensors-write.js';
import { writeCheckpoint } from '../../src/model/formats/write-checkpoint.js';
import { loadModel } from '../../src/model/load.js';
import { resolvePreset } from '../../src/model/presets.js';
import { weightShapes } from '../../src/model/weight-ids.js';
import type { WeightSource } from '../../src/model/weights.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { randomWeights, tinyConfig } from '../support/tiny-model.js';

/** As published: huggingface.co/Dream-org/Dream-v0-Instruct-7B, inclusionAI/LLaDA-MoE-7B-A1B, meta-llama/Meta-Llama-3-8B. */
const PUBLISHED = {
  'dream-7b': {
    model_type: 'Dream',
    hidden_size: 3584,
    num_hidden_layers: 28,
    num_attention_heads: 28,
    num_key_value_heads: 4,
    intermediate_size: 18944,
    vocab_size: 152064,
    rope_theta: 1e6,
    max_position_embeddings: 131072,
    rms_norm_eps: 1e-6,
    hidden_act: 'silu',
    rope_scaling: null,
    tie_word_embeddings: false,
    mask_token_id: 151666,
    bos_token_id: 151643,
    eos_token_id: 151643,
  },
  'llada-moe-7b-a1b': {
    model_type: 'llada',
    hidden_size: 2048,
    num_hidden_layers: 16,
    num_attention_heads: 16,
    num_key_value_heads: 16,
    vocab_size: 157184,
    rope_theta: 50000,
    max_position_embeddings: 8192,
    rms_norm_eps: 1e-5,
    hidden_act: 'silu',
    num_experts: 64,
    num_experts_per_tok: 8,
    expert_intermediate_size: 1024,
    qk_layernorm: true,
    norm_topk_prob: null,
    eos_token_id: 156892,
  },
  'llama-3-8b': {
    model_type: 'llama',
    hidden_size: 4096,
    num_hidden_layers: 32,
    num_attention_heads: 32,
    num_key_value_heads: 8,
    intermediate_size: 14336,
    vocab_size: 128256,
    rope_theta: 5e5,
    max_position_embeddings: 8192,
    rms_norm_eps: 1e-5,
    hidden_act: 'silu',
    attention_bias: false,
    bos_token_id: 128000,
    eos_token_id: [128001, 128009],
  },
} as const;

describe('config.json of the other families', () => {
  it.each(Object.entries(PUBLISHED))('%s is its preset', (name, json) => {
    const config = recogniseHfConfig(json, 'config.json');
    // As in its tensors.
    const has = (id: string) => weightShapes(resolvePreset(name)).has(id);
    expect(parseHfConfig(config, name, has)).toEqual({
      ...resolvePreset(name),
      endIds: [json.eos_token_id].flat(),
    });
  });

  it.each([
    [{ hidden_size: undefined }, /config.json: hidden_size/],
    [
      { rope_scaling: { type: 'longrope' } },
      /rope_scaling.type longrope: scaled rotary positions of this kind are not supported/,
    ],
    [{ num_attention_heads: 30 }, /hidden_size 3584 is not a multiple of num_attention_heads 30/],
    [{ mask_token_id: 152064 }, /mask_token_id 152064 is outside the vocabulary/],
    [{ mask_token_id: undefined, vocab_size: 152065 }, /mask_token_id is missing/],
    [{ intermediate_size: undefined }, /intermediate_size is missing/],
    [
      { model_type: 'gpt2' },
      /model_type gpt2 is not supported \(llada, Dream, lladamoe, llada2_moe, sdar, .*llama, albert\)/,
    ],
  ])('%j is refused by name', (change, message) => {
    const json = { ...PUBLISHED['dream-7b'], ...change };
    expect(() => parseHfConfig(recogniseHfConfig(json, 'config.json'), 'x')).toThrow(message);
  });
});

const moe = { experts: 3, expertsPerToken: 2, expertFfn: 32, renormalise: false };
const config = tinyConfig({ arch: 'llada-moe', qkNorm: true, ffn: 0, tiedHead: false, moe });

/** Hugging Face name of a weight, experts one by one. */
function nameOf(id: string): string {
  const outer: Record<string, string> = {
    'token_embd.weight': 'model.embed_tokens.weight',
    'output_norm.weight': 'model.norm.weight',
    'output.weight': 'lm_head.weight',
  };
  const inner: Record<string, string> = {
    attn_norm: 'input_layernorm',
    ffn_norm: 'post_attention_layernorm',
    ffn_gate_inp: 'mlp.gate',
    attn_q: 'self_attn.q_proj',
    attn_k: 'self_attn.k_proj',
    attn_v: 'self_attn.v_proj',
    attn_output: 'self_attn.o_proj',
    attn_q_norm: 'self_attn.q_norm',
    attn_k_norm: 'self_attn.k_norm',
    ffn_gate_exps: 'mlp.experts.#.gate_proj',
    ffn_up_exps: 'mlp.experts.#.up_proj',
    ffn_down_exps: 'mlp.experts.#.down_proj',
  };
  const [, layer, weight, part] = /^blk\.(\d+)\.(\w+)\.(\w+)$/.exec(id) ?? [];
  return outer[id] ?? `model.layers.${layer}.${inner[weight ?? '']}.${part}`;
}

async function writeMoe(
  change: (tensors: Map<string, SafetensorsTensor>) => void = () => {},
): Promise<string> {
  const weights = randomWeights(config);
  const tensors = new Map<string, SafetensorsTensor>();
  // Experts last to first: the order in the file must not matter.
  for (const id of [...weights.names()].reverse()) {
    const shape = weights.info(id)!.shape;
    const name = nameOf(id);
    if (!name.includes('#')) {
      tensors.set(name, { shape, dtype: 'f32', values: () => weights.read(id) });
      continue;
    }
    const size = shape[1] * shape[2];
    for (let expert = moe.experts - 1; expert >= 0; expert--) {
      const values = async () => (await weights.read(id)).slice(expert * size, (expert + 1) * size);
      tensors.set(name.replace('#', String(expert)), { shape: shape.slice(1), dtype: 'f32', values });
    }
  }
  change(tensors);
  const directory = temporaryDirectory();
  await writeSafetensors(join(directory, 'model.safetensors'), tensors);
  const json = {
    model_type: 'lladamoe',
    hidden_size: config.hidden,
    num_hidden_layers: config.layers,
    num_attention_heads: config.heads,
    vocab_size: config.vocab,
    rms_norm_eps: config.rmsEps,
    max_position_embeddings: config.contextLength,
    rope_theta: config.ropeTheta,
    qk_layernorm: true,
    num_experts: 3,
    num_experts_per_tok: 2,
    expert_intermediate_size: 32,
    mask_token_id: config.maskId,
    bos_token_id: config.bosId,
    eos_token_id: config.endIds[0],
  };
  writeFileSync(join(directory, 'config.json'), JSON.stringify(json));
  return directory;
}

/** One model of every family, with all that its checkpoints can hold. */
const FAMILIES: readonly ModelConfig[] = [
  tinyConfig({ arch: 'llada', tiedHead: false, kvHeads: 2 }),
  tinyConfig({ arch: 'dream', tiedHead: false, kvHeads: 2, qkvBias: true, shiftLogits: true }),
  config,
  tinyConfig({ arch: 'llama', kvHeads: 2, attention: 'causal', shiftLogits: true, maskId: null }),
];

describe('every family goes from GGUF to safetensors and back', () => {
  it.each(FAMILIES.map((family) => [family.arch, family] as const))('%s, bit for bit', async (_, family) => {
    const folder = temporaryDirectory();
    const [first, second] = [join(folder, 'first.gguf'), join(folder, 'second.gguf')];
    const directory = join(folder, family.name);
    const none = new Map([['tokenizer.ggml.model', { type: 'string', value: 'none' } as const]]);
    const weights = randomWeights(family);
    await writeModelGguf(family, weights, first, 'f32', none);
    const gguf = await loadModel(first);
    await writeCheckpoint(gguf.config, gguf.weights, directory, null, null);
    const checkpoint = await loadModel(directory);
    expect(checkpoint.config).toEqual(family);
    for (const id of weights.names())
      expect(await checkpoint.weights.read(id)).toEqual(await weights.read(id));
    await writeModelGguf(checkpoint.config, checkpoint.weights, second, null, none);
    expect(readFileSync(second).equals(readFileSync(first))).toBe(true);
    await gguf.weights.close();
    await checkpoint.weights.close();
  });

  it('in bf16 the matrices keep their bits', async () => {
    const folder = temporaryDirectory();
    const family = FAMILIES[1];
    const once = join(folder, 'once');
    await writeCheckpoint(family, asBf16(randomWeights(family)), once, null, null);
    const first = await loadModel(once);
    expect(first.weights.info('blk.0.attn_q.weight')?.dtype).toBe('bf16');
    const again = join(folder, 'again');
    await writeCheckpoint(first.config, first.weights, again, null, null);
    const bytes = (directory: string) => readFileSync(join(directory, 'model.safetensors'));
    expect(bytes(again).equals(bytes(once))).toBe(true);
    await first.weights.close();
  });
});

/** Weights that say they are stored as bf16. */
function asBf16(weights: WeightSource): WeightSource {
  const info = (id: string) => {
    const stored = weights.info(id);
    return stored && { ...stored, dtype: 'bf16' as const, bytes: stored.bytes / 2 };
  };
  return { ...weights, info, readRaw: async (id) => encodeWeight('bf16', await weights.read(id), id) };
}

describe('checkpoints with routed experts', () => {
  it('join experts to stacks and load as they were', async () => {
    const model = await loadModel(await writeMoe());
    expect({ ...model.config, name: config.name } satisfies ModelConfig).toEqual(config);
    const original = randomWeights(config);
    for (const id of original.names()) {
      expect(model.weights.info(id)?.shape).toEqual(original.info(id)?.shape);
      expect(await model.weights.read(id)).toEqual(await original.read(id));
    }
    await model.weights.close();
  });

  it('with an expert missing or unlike the others are refused by name', async () => {
    const up = 'model.layers.1.mlp.experts.1.up_proj.weight';
    await expect(openSafetensors(await writeMoe((t) => t.delete(up)), 'llada-moe')).rejects.toThrow(
      /blk.1.ffn_up_exps.weight: expert 1 is missing/,
    );
    const other = { shape: [2, 2], dtype: 'f32', values: () => new Float32Array(4) } as const;
    await expect(openSafetensors(await writeMoe((t) => t.set(up, other)), 'llada-moe')).rejects.toThrow(
      /experts.1.up_proj.weight: differs in shape or dtype/,
    );
  });

  it('ignore tensors this project has no use for', () => {
    expect(placeOfHfName('llada-moe', 'model.layers.0.self_attn.rotary_emb.inv_freq')).toBeNull();
    expect(placeOfHfName('llada-moe', 'model.layers.0.mlp.experts.2.down_proj.weight')).toEqual({
      id: 'blk.0.ffn_down_exps.weight',
      expert: 2,
    });
    expect(placeOfHfName('llada-moe', 'model.layers.3.self_attn.q_proj.bias')).toEqual({
      id: 'blk.3.attn_q.bias',
    });
    expect(placeOfHfName('llada', 'model.transformer.blocks.0.ff_out.weight')).toEqual({
      id: 'blk.0.ffn_down.weight',
    });
  });
});
