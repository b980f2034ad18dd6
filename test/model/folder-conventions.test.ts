import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createTfjsEngine } from '../../src/engine/tfjs/engine.js';
import type { ModelConfig } from '../../src/model/config.js';
import { openCheckpoint } from '../../src/model/formats/checkpoint-source.js';
import { recogniseHfConfig } from '../../src/model/formats/hf-config.js';
import { loadModel } from '../../src/model/load.js';
import { textLength } from '../../src/model/text-length.js';
import { type FolderDraft, writeFolder } from '../support/folder.js';
import { denoisePass } from '../support/passes.js';
import { plainForward } from '../support/plain-forward.js';
import { randomWeights, tinyConfig } from '../support/tiny-model.js';

const size = { hidden: 64, headDim: 16, ffn: 96, kvHeads: 2, tiedHead: false };
const llama = tinyConfig({ ...size, arch: 'llama', attention: 'causal', shiftLogits: true, maskId: null });
const dream = tinyConfig({ ...size, arch: 'dream', qkvBias: true, shiftLogits: true });
const llada = tinyConfig({ ...size });
const moe = tinyConfig({
  ...size,
  arch: 'llada-moe',
  qkNorm: true,
  ffn: 0,
  moe: { experts: 3, expertsPerToken: 2, expertFfn: 32, renormalise: true },
});

const rnd1 = tinyConfig({ ...moe, arch: 'rnd1' });
const llada2 = tinyConfig({
  ...size,
  arch: 'llada2',
  attention: 'block-causal',
  blockLength: 4,
  qkNorm: true,
  moe: {
    experts: 8,
    expertsPerToken: 2,
    expertFfn: 32,
    renormalise: true,
    grouped: { groups: 4, groupsPerToken: 2, expertScale: 2.5 },
    sharedFfn: 32,
    denseLayers: 1,
  },
});

const rows = [7, 8, 9, 5, 11].map((feed, position) => ({ position: 9 * position, feed }));

/** Opens the folder that was written of `stored`, and compares its logits with the formulas for `meant`. */
async function expectLogits(
  stored: ModelConfig,
  meant: ModelConfig,
  change: (draft: FolderDraft) => void,
): Promise<void> {
  const weights = randomWeights(meant, 6);
  const { config, weights: read } = await openCheckpoint(await writeFolder(stored, weights, change), 'x');
  const engine = await createTfjsEngine(config, read);
  const causal = meant.attention === 'causal';
  const { logits } = await engine.run(denoisePass(0, rows, { visibility: causal ? 'causal' : 'all' }));
  const { logits: wanted } = await plainForward(meant, weights, rows, (i, j) => !causal || j <= i);
  const expected = wanted.flat();
  const off = expected.reduce((max, value, i) => Math.max(max, Math.abs(value - logits[i])), 0);
  expect(off).toBeLessThan(1e-4);
  engine.dispose();
  await read.close();
}

const yarn = {
  kind: 'yarn',
  factor: 4,
  originalContext: 64,
  betaFast: 8,
  betaSlow: 1,
  attentionFactor: 0.1 * Math.log(4) + 1,
} as const;
const llama3 = {
  kind: 'llama3',
  factor: 8,
  lowFrequencyFactor: 1,
  highFrequencyFactor: 4,
  originalContext: 100,
} as const;

describe('what a folder says is honoured', () => {
  const HONOURED: readonly (readonly [
    string,
    ModelConfig,
    Partial<ModelConfig>,
    (draft: FolderDraft) => void,
  ])[] = [
    [
      'rope_parameters, as transformers 5 writes it',
      llama,
      { ropeTheta: 500_000 },
      ({ json }) => {
        delete json.rope_theta;
        json.rope_parameters = { rope_theta: 500_000, rope_type: 'default' };
      },
    ],
    [
      'scaling in rope_parameters',
      llama,
      { ropeScaling: llama3, ropeDims: 8 },
      ({ json }) => {
        json.rope_parameters = {
          rope_type: 'llama3',
          factor: 8,
          low_freq_factor: 1,
          high_freq_factor: 4,
          original_max_position_embeddings: 100,
          partial_rotary_factor: 0.5,
        };
      },
    ],
    [
      'rope_scaling by its old key',
      dream,
      { ropeScaling: { kind: 'linear', factor: 4 } },
      ({ json }) => {
        json.rope_scaling = { type: 'linear', factor: 4 };
      },
    ],
    [
      'YaRN with its defaults',
      llama,
      { ropeScaling: yarn },
      ({ json }) => {
        json.rope_scaling = {
          rope_type: 'yarn',
          factor: 4,
          original_max_position_embeddings: 64,
          beta_fast: 8,
        };
      },
    ],
    [
      'YaRN without its factor, which is then the ratio of the two contexts',
      llama,
      { ropeScaling: yarn, contextLength: 256 },
      ({ json }) => {
        json.max_position_embeddings = 256;
        json.rope_scaling = { rope_type: 'yarn', original_max_position_embeddings: 64, beta_fast: 8 };
      },
    ],
    [
      'YaRN whose two weights of the attention factor cancel',
      llada,
      { ropeScaling: { ...yarn, attentionFactor: 1 } },
      ({ json }) => {
        json.rope_scaling = {
          rope_type: 'yarn',
          factor: 4,
          original_max_position_embeddings: 64,
          beta_fast: 8,
          beta_slow: 1,
          mscale: 1,
          mscale_all_dim: 1,
        };
      },
    ],
    [
      'partial_rotary_factor',
      llama,
      { ropeDims: 8 },
      ({ json }) => {
        json.partial_rotary_factor = 0.5;
      },
    ],
    [
      'attention_bias with a bias after attention',
      llama,
      { qkvBias: true, outputBias: true },
      ({ json }) => {
        json.attention_bias = true;
      },
    ],
    [
      'mlp_bias',
      llama,
      { ffnBias: true },
      ({ json }) => {
        json.mlp_bias = true;
      },
    ],
    ['norms of Q and K that no key names', llama, { qkNorm: true }, () => {}],
    ['norms of Q and K that no key names', dream, { qkNorm: true }, () => {}],
    [
      'biases of Dream, whatever attention_bias says',
      dream,
      {},
      ({ json }) => {
        json.attention_bias = false;
      },
    ],
    ['norm_topk_prob', moe, {}, () => {}],
    [
      'is_causal of a Llama',
      llama,
      { attention: 'bidirectional' },
      ({ json }) => {
        json.is_causal = false;
      },
    ],
    [
      'a window that is switched off',
      dream,
      {},
      ({ json }) => {
        Object.assign(json, { use_sliding_window: false, sliding_window: 32, max_window_layers: 1 });
      },
    ],
    [
      'frequencies that are stored and not used',
      llama,
      {},
      ({ tensors }) => {
        const values = () => new Float32Array(8);
        tensors.set('model.layers.0.self_attn.rotary_emb.inv_freq', { shape: [8], dtype: 'f32', values });
      },
    ],
    [
      'a tied head that is stored twice',
      { ...llama, tiedHead: true },
      { tiedHead: true },
      ({ tensors }) => {
        tensors.set('lm_head.weight', tensors.get('model.embed_tokens.weight')!);
      },
    ],
  ];
  it.each(HONOURED)('%s', async (_, stored, meant, change) => {
    await expectLogits(stored, { ...stored, ...meant }, change);
  });
});

describe('end tokens are a set', () => {
  const ends = async (json: Record<string, unknown>, generation?: Record<string, unknown>) => {
    const directory = await writeFolder(llama, randomWeights(llama), (draft) => {
      delete draft.json.eos_token_id;
      Object.assign(draft.json, json);
    });
    if (generation !== undefined)
      writeFileSync(join(directory, 'generation_config.json'), JSON.stringify(generation));
    const { config, weights } = await openCheckpoint(directory, 'x');
    await weights.close();
    return config.endIds;
  };

  it('of one, of several, of none, and of those that generation_config.json adds', async () => {
    expect(await ends({ eos_token_id: 2 })).toEqual([2]);
    expect(await ends({ eos_token_id: [2, 33] })).toEqual([2, 33]);
    expect(await ends({})).toEqual([]);
    expect(await ends({ eos_token_id: 2 }, { eos_token_id: [7, 2] })).toEqual([2, 7]);
    expect(await ends({}, { eos_token_id: 7 })).toEqual([7]);
    await expect(ends({ eos_token_id: [2, 40] })).rejects.toThrow(
      /eos_token_id 40 is outside the vocabulary/,
    );
  });

  it('and a text ends before the first of them', () => {
    expect(textLength([5, 33, 2], [2, 33])).toBe(1);
    expect(textLength([5, 6], [2, 33])).toBe(2);
    expect(textLength([5, 6], [])).toBe(2);
  });
});

const values = (count: number) => () => new Float32Array(count).fill(0.5);

describe('what changes no logits is read over', () => {
  it.each([
    [llama, { hidden_act: 'swish', neftune_noise_alpha: 5, 'transformers.js_config': { dtype: 'q4' } }],
    [llama, { rope_scaling: false, sliding_window: false, attn_pdrop: 0.1, base_model_tp_plan: {} }],
    [llada2, { norm_head: false, norm_softmax: false }],
  ] as const)('of %o: %o', async (config, entries) => {
    await expectSame(config, ({ json }) => void Object.assign(json, entries));
  });

  it('a llada2 whose whole head rotates says so', async () => {
    await expectSame(llada2, ({ json }) => expect(json.partial_rotary_factor).toBe(1));
  });

  async function expectSame(config: ModelConfig, change: (draft: FolderDraft) => void) {
    const { config: read, weights } = await openCheckpoint(
      await writeFolder(config, randomWeights(config), change),
      config.name,
    );
    expect(read).toEqual({ ...config, ropeScaling: undefined, ropeDims: undefined });
    await weights.close();
  }
});

describe('a directory that holds something else, too', () => {
  it.each([
    ['adapter_config.json', '{"peft_type":"LORA"}', /adapter_config.json: an adapter changes these weights/],
    [
      'model.safetensors.index.json',
      '{"weight_map":{"lm_head.weight":"model-00001-of-00001.safetensors"}}',
      /index.json: model.safetensors beside it holds weights too/,
    ],
    [
      'generation_config.json',
      '{"eos_token_id":[1,99]}',
      /generation_config.json: eos_token_id 99 is outside/,
    ],
  ])('%s: is refused', async (name, content, why) => {
    const directory = await writeFolder(llama, randomWeights(llama));
    writeFileSync(join(directory, name), content);
    await expect(openCheckpoint(directory, 'x')).rejects.toThrow(why);
  });

  it('weights of another kind are named', async () => {
    const directory = await writeFolder(llama, randomWeights(llama));
    renameSync(join(directory, 'model.safetensors'), join(directory, 'pytorch_model.bin'));
    await expect(openCheckpoint(directory, 'x')).rejects.toThrow(
      /it has pytorch_model.bin, which is not read under that name/,
    );
  });

  it('a tokenizer of another kind is named, and blocks text alone', async () => {
    const directory = await writeFolder(llama, randomWeights(llama));
    writeFileSync(join(directory, 'tokenizer.model'), 'x');
    const { tokenizer, text, weights } = await loadModel(directory);
    expect(tokenizer).toBeNull();
    expect(text.fault?.message).toMatch(/tokenizer.model: only tokenizer.json is read/);
    await weights.close();
  });
});

describe('a mask that config.json does not name', () => {
  it.each([
    ['tokenizer_config.json', { added_tokens_decoder: { '9': { content: '<|mdm_mask|>' } } }],
    ['tokenizer.json', { added_tokens: [{ id: 9, content: '<|mdm_mask|>' }] }],
  ])('is found by its text in %s', async (name, content) => {
    const directory = await writeFolder(llada, randomWeights(llada), ({ json }) => {
      delete json.mask_token_id;
    });
    writeFileSync(join(directory, name), JSON.stringify(content));
    const { config, weights } = await openCheckpoint(directory, 'x');
    expect(config.maskId).toBe(9);
    await weights.close();
  });
});

describe('what would change the logits and is not honoured is refused by name', () => {
  const set =
    (entries: Record<string, unknown>) =>
    ({ json }: FolderDraft) =>
      void Object.assign(json, entries);
  const add =
    (name: string, shape: readonly number[]) =>
    ({ tensors }: FolderDraft) =>
      void tensors.set(name, { shape, dtype: 'f32', values: values(shape.reduce((a, b) => a * b, 1)) });
  const REFUSED: readonly (readonly [ModelConfig, (draft: FolderDraft) => void, RegExp])[] = [
    [llama, set({ query_scale: 3 }), /query_scale 3: this key is not known/],
    [
      llama,
      set({ rope_scaling: { rope_type: 'longrope', factor: 4 } }),
      /rope_scaling.rope_type longrope: scaled rotary/,
    ],
    [
      llama,
      set({ rope_scaling: { rope_type: 'yarn', factor: 4, boost: 2 } }),
      /rope_scaling.boost 2: this key/,
    ],
    [llama, set({ rope_scaling: { factor: 4 } }), /rope_scaling.factor 4: without/],
    [llama, set({ rope_parameters: { rope_theta: 7 } }), /rope_parameters .*contradicts rope_theta 10000/],
    [llama, set({ attention_bias: true }), /attention_bias is true, but blk.0.attn_q.bias is missing/],
    [
      llama,
      (draft) => {
        set({ attention_bias: false })(draft);
        add('model.layers.0.self_attn.o_proj.bias', [64])(draft);
      },
      /but blk.0.attn_output.bias is in the file/,
    ],
    [dream, add('model.layers.0.self_attn.o_proj.bias', [64]), /o_proj.bias: dream models .* no such weight/],
    [llama, add('model.layers.0.mlp.router.weight', [4, 64]), /mlp.router.weight: llama models have no such/],
    [llama, add('model.layers.7.mlp.up_proj.weight', [96, 64]), /layers.7.mlp.up_proj.weight: llama models/],
    [{ ...llama, tiedHead: true }, add('lm_head.weight', [40, 64]), /lm_head.weight: the head is tied/],
    [
      llama,
      (draft) => {
        set({ quantization_config: { quant_method: 'gptq' } })(draft);
        add('model.layers.0.self_attn.q_proj.qweight', [8, 64])(draft);
      },
      /quantization_config gptq: weights quantised/,
    ],
    [
      llama,
      set({ rope_scaling: { rope_type: 'llama3', factor: 8 } }),
      /config.json: rope_scaling.low_freq_factor is missing/,
    ],
    [
      llama,
      set({ rope_parameters: { rope_type: 'llama3', factor: 8 } }),
      /config.json: rope_parameters.low_freq_factor is missing/,
    ],
    [
      llama,
      set({ architectures: ['LlamaBidirectionalModel'] }),
      /LlamaBidirectionalModel.*: its own code may/,
    ],
    [llama, set({ use_qk_norm: true }), /use_qk_norm is true, but blk.0.attn_q_norm/],
    [
      llama,
      set({ eos_token_id: [1, null] }),
      /eos_token_id \[1,null\]: expected the id of a token, or a list/,
    ],
    [
      llama,
      set({ rms_norm_eps: '1e-6' }),
      /rms_norm_eps 1e-6: Invalid input: expected number, received string/,
    ],
    [llama, set({ quantization: { bits: 4 } }), /quantization \{"bits":4\}: weights that MLX quantised/],
    [
      llada,
      set({ mask_token_id: null }),
      /mask_token_id is missing, and no tokenizer beside it has <\|mdm_mask\|>/,
    ],
    [
      llada2,
      set({ partial_rotary_factor: null }),
      /partial_rotary_factor is missing, and what a llada2 does/,
    ],
    [llada2, set({ routed_scaling_factor: null }), /routed_scaling_factor is missing/],
    [llada2, set({ n_group: null }), /n_group is missing/],
    [llada2, set({ norm_head: true }), /norm_head true: a head with normalised rows/],
    [rnd1, set({ norm_topk_prob: null }), /norm_topk_prob is missing, and what a rnd1 does/],
    [llama, set({ sliding_window: 32 }), /sliding_window 32: sliding-window attention/],
    [
      llama,
      set({ layer_types: ['full_attention', 'sliding_attention'] }),
      /layer_types .*attend differently/,
    ],
    [dream, set({ is_causal: true }), /is_causal true: these models attend in both directions/],
    [llada, set({ scale_logits: true }), /scale_logits true: scaled logits/],
    [llada, set({ clip_qkv: 8 }), /clip_qkv 8: clipped/],
    [llada, set({ attention_layer_norm: true }), /attention_layer_norm true: norms over all heads/],
    [llada, set({ alibi: true }), /alibi true/],
    [llada, set({ input_emb_norm: true }), /input_emb_norm true/],
    [llada, set({ block_type: 'sequential' }), /block_type sequential: only blocks of separate/],
    [moe, set({ moe_router_score_function: 'sigmoid' }), /moe_router_score_function sigmoid: only softmax/],
    [moe, set({ routed_scaling_factor: 2.5 }), /routed_scaling_factor 2.5: scaled expert/],
    [moe, set({ num_shared_experts: 1 }), /num_shared_experts 1: shared experts/],
    [moe, set({ moe_layer_freq: [0, 1] }), /moe_layer_freq \[0,1\]: dense layers/],
    [moe, set({ moe_router_enable_expert_bias: true }), /moe_router_enable_expert_bias true/],
    [moe, add('model.layers.0.mlp.gate.expert_bias', [3]), /expert_bias: llada-moe models have no such/],
  ];
  it.each(REFUSED)('of %o: %o', async (config, change, message) => {
    const directory = await writeFolder(config, randomWeights(config), change);
    await expect(openCheckpoint(directory, 'x')).rejects.toThrow(message);
  });

  it('a family that is not known is named', () => {
    expect(() => recogniseHfConfig({ model_type: 'gpt2' }, 'c')).toThrow(/model_type gpt2 is not supported/);
    expect(() => recogniseHfConfig({}, 'c')).toThrow(/model_type undefined is not supported/);
  });
});
