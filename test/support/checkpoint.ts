import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ModelConfig } from '../../src/model/config.js';
import { hfNameOf } from '../../src/model/formats/hf-names.js';
import { type SafetensorsTensor, writeSafetensors } from '../../src/model/formats/safetensors-write.js';
import type { WeightSource } from '../../src/model/weights.js';
import { buildTokenizerJson } from '../../src/score/tokenizer-json.js';
import { temporaryDirectory } from './temporary-directory.js';

/** Size of the tokenizer `writeCheckpoint` puts beside the weights. */
export const VOCAB = Object.keys(buildTokenizerJson().model.vocab).length;

/** Keys of LLaDA's config.json for a dense configuration. */
export function lladaJson(config: ModelConfig): Record<string, unknown> {
  return {
    model_type: 'llada',
    architectures: ['LLaDAModelLM'],
    rope: true,
    layer_norm_type: 'rms',
    d_model: config.hidden,
    n_layers: config.layers,
    n_heads: config.heads,
    n_kv_heads: config.kvHeads,
    mlp_hidden_size: config.ffn,
    vocab_size: config.vocab,
    max_sequence_length: config.contextLength,
    rope_theta: config.ropeTheta,
    rms_norm_eps: config.rmsEps,
    weight_tying: config.tiedHead,
    include_qkv_bias: config.qkvBias,
    mask_token_id: config.maskId,
    bos_token_id: config.bosId,
    eos_token_id: config.endIds[0],
  };
}

/** A Hugging Face LLaDA directory with the given weights. */
export async function writeCheckpoint(
  config: ModelConfig,
  weights: WeightSource,
  dtype: 'f32' | 'f16' | 'bf16' = 'f32',
): Promise<string> {
  const directory = temporaryDirectory();
  const tensors = new Map<string, SafetensorsTensor>();
  for (const id of weights.names()) {
    const name = hfNameOf(config.arch, id);
    const shape = weights.info(id)?.shape;
    if (name === null || shape === undefined) throw new Error(`no name for ${id}`);
    tensors.set(name, { shape, dtype, values: () => weights.read(id) });
  }
  await writeSafetensors(join(directory, 'model.safetensors'), tensors);
  writeFileSync(join(directory, 'config.json'), JSON.stringify(lladaJson(config)));
  writeFileSync(join(directory, 'tokenizer.json'), JSON.stringify(buildTokenizerJson()));
  return directory;
}
