import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readFolderText } from '../../src/model/formats/folder-text.js';
import { parseHfConfig, recogniseHfConfig } from '../../src/model/formats/hf-config.js';
import { fileSha256, loadModel, resolveModelConfig } from '../../src/model/load.js';
import { createTokenizer, type Tokenizer } from '../../src/model/tokenizer.js';
import { allWords } from '../../src/score/vocabulary.js';
import { lladaJson, VOCAB, writeCheckpoint } from '../support/checkpoint.js';
import { randomWeights, tinyConfig } from '../support/tiny-model.js';

const config = tinyConfig({ vocab: VOCAB });

const parse = (json: unknown, name: string) => parseHfConfig(recogniseHfConfig(json, 'c'), name);

describe('config.json', () => {
  it('becomes a ModelConfig', () => {
    expect(parse(lladaJson(config), config.name)).toEqual(config);
  });

  it('of LLaDA-8B-Instruct becomes the preset', async () => {
    // https://huggingface.co/GSAI-ML/LLaDA-8B-Instruct/blob/main/config.json, whole.
    const published = {
      activation_type: 'silu',
      alibi: false,
      alibi_bias_max: 8.0,
      architectures: ['LLaDAModelLM'],
      attention_dropout: 0.0,
      attention_layer_norm: false,
      attention_layer_norm_with_affine: true,
      auto_map: { AutoConfig: 'configuration_llada.LLaDAConfig' },
      bias_for_layer_norm: false,
      block_group_size: 1,
      block_type: 'llama',
      d_model: 4096,
      embedding_dropout: 0.0,
      embedding_size: 126464,
      eos_token_id: 126081,
      flash_attention: false,
      include_bias: false,
      include_qkv_bias: false,
      init_cutoff_factor: null,
      init_device: 'meta',
      init_fn: 'mitchell',
      init_std: 0.02,
      input_emb_norm: false,
      layer_norm_type: 'rms',
      layer_norm_with_affine: true,
      mask_token_id: 126336,
      max_sequence_length: 4096,
      mlp_hidden_size: 12288,
      mlp_ratio: 4,
      model_type: 'llada',
      multi_query_attention: null,
      n_heads: 32,
      n_kv_heads: 32,
      n_layers: 32,
      pad_token_id: 126081,
      precision: 'amp_bf16',
      residual_dropout: 0.0,
      rms_norm_eps: 1e-5,
      rope: true,
      rope_full_precision: true,
      rope_theta: 500000.0,
      scale_logits: false,
      transformers_version: '4.46.3',
      use_cache: false,
      vocab_size: 126464,
      weight_tying: false,
    };
    const preset = await resolveModelConfig('llada-8b');
    expect(parse(published, 'llada-8b')).toEqual({ ...preset, bosId: null });
  });

  it.each([
    [{ model_type: 'qwen2' }, /c: model_type qwen2 is not supported/],
    [{ d_model: -1 }, /c: d_model -1: /],
    [{ d_model: 30 }, /d_model 30 is not a multiple of n_heads 4/],
    [{ layer_norm_type: 'default' }, /layer_norm_type default: only RMSNorm/],
    [{ mask_token_id: VOCAB }, /mask_token_id \d+ is outside the vocabulary of \d+/],
    [{ n_layers: '4' }, /c: n_layers 4: /],
  ])('with %j is refused', (change, message) => {
    expect(() => parse({ ...lladaJson(config), ...change }, 'x')).toThrow(message);
  });
});

function tokenizerIn(directory: string): Tokenizer {
  const { tokenizer, settings, label } = readFolderText(directory);
  return createTokenizer(tokenizer!, label, settings);
}

describe('tokenizer', () => {
  it('gives one id per word and its inverse, and bytes for anything else', async () => {
    const directory = await writeCheckpoint(config, randomWeights(config));
    const tokenizer = tokenizerIn(directory);
    expect(tokenizer.size).toBe(VOCAB);
    const words = allWords().slice(0, 40).join(' ');
    const prompt = ` ${words}`;
    const ids = tokenizer.encode(prompt);
    expect(ids).toHaveLength(words.split(' ').length);
    expect(tokenizer.decode(ids)).toBe(prompt);
    expect(tokenizer.encode(words)).toEqual(ids);
    for (const text of [' Ünïcode \u{1f600} zebra?', ' 12 + 8 = 20 .', ' a  b']) {
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
    }
  });

  it('leaves special tokens out of the text unless asked, and ignores ids it does not have', async () => {
    const directory = await writeCheckpoint(config, randomWeights(config));
    const tokenizer = tokenizerIn(directory);
    const [word] = tokenizer.encode(' sort');
    const ids = [0, word!, 5, 1, 40000];
    expect(tokenizer.decode(ids)).toBe(' sort');
    expect(tokenizer.decode(ids, { skipSpecial: false })).toBe(
      '<|startoftext|> sort<|mdm_mask|><|endoftext|>',
    );
    expect(tokenizer.decode([])).toBe('');
    expect(tokenizer.token(5)).toBe('<|mdm_mask|>');
    expect(tokenizer.id('<|mdm_mask|>')).toBe(5);
    expect(tokenizer.token(VOCAB)).toBeUndefined();
    expect(tokenizer.encode('<|mdm_mask|>')).toEqual([5]);
  });

  it('that cannot be used is named, and blocks the text alone', async () => {
    const directory = await writeCheckpoint(config, randomWeights(config));
    const path = join(directory, 'tokenizer.json');
    writeFileSync(path, '{"model": {"type": "Unigram"}}');
    const { text, tokenizer, weights } = await loadModel(directory);
    await weights.close();
    expect(tokenizer).toBeNull();
    expect(text.fault?.message).toMatch(/model.type: only byte-pair encodings/);
    writeFileSync(path, '{');
    expect(readFolderText(directory).fault?.message).toMatch(/tokenizer.json: not JSON/);
    rmSync(path);
    expect(readFolderText(directory).tokenizer).toBeNull();
  });
});

describe('loadModel', () => {
  it('loads a directory with weights and tokenizer', async () => {
    const directory = await writeCheckpoint(config, randomWeights(config));
    const model = await loadModel(directory);
    expect({ ...model.config, name: config.name }).toEqual(config);
    expect(model.tokenizer?.size).toBe(VOCAB);
    expect(await fileSha256(model.weightsPath)).toMatch(/^[0-9a-f]{64}$/);
    await model.weights.close();
    rmSync(join(directory, 'tokenizer.json'));
    const bare = await loadModel(directory);
    expect(bare.tokenizer).toBeNull();
    await bare.weights.close();
  });

  it('refuses weights that do not belong to the configuration', async () => {
    const directory = await writeCheckpoint(tinyConfig({ vocab: VOCAB, layers: 1 }), randomWeights(config));
    writeFileSync(join(directory, 'config.json'), JSON.stringify(lladaJson({ ...config, layers: 3 })));
    await expect(loadModel(directory)).rejects.toThrow(/weight blk.2.attn_norm.weight of .* is missing/);
  });

  it('refuses unknown names with the nearest, and models that have no weights here', async () => {
    await expect(loadModel('llada-9b')).rejects.toThrow(/unknown model "llada-9b": did you mean llada-8b/);
    await expect(loadModel('llada-8b')).rejects.toThrow(/llada-8b has no weights here/);
    await expect(resolveModelConfig('dreem-7b')).rejects.toThrow(/did you mean dream-7b/);
  });
});
