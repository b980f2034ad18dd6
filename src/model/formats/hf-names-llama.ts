import type { LayerWeight } from '../weight-ids.js';

/** Names of Llama, Qwen2 (Dream) and OLMoE-like (LLaDA-MoE) checkpoints on Hugging Face, inside a layer. */
const LAYER_NAMES: Readonly<Record<string, LayerWeight>> = {
  input_layernorm: 'attn_norm',
  'self_attn.q_proj': 'attn_q',
  'self_attn.k_proj': 'attn_k',
  'self_attn.v_proj': 'attn_v',
  'self_attn.o_proj': 'attn_output',
  'self_attn.q_norm': 'attn_q_norm',
  'self_attn.k_norm': 'attn_k_norm',
  post_attention_layernorm: 'ffn_norm',
  'mlp.gate_proj': 'ffn_gate',
  'mlp.up_proj': 'ffn_up',
  'mlp.down_proj': 'ffn_down',
  'mlp.gate': 'ffn_gate_inp',
};

const EXPERT_NAMES: Readonly<Record<string, LayerWeight>> = {
  gate_proj: 'ffn_gate_exps',
  up_proj: 'ffn_up_exps',
  down_proj: 'ffn_down_exps',
};

const OUTER_NAMES: Readonly<Record<string, string>> = {
  'model.embed_tokens.weight': 'token_embd.weight',
  'model.norm.weight': 'output_norm.weight',
  'lm_head.weight': 'output.weight',
};

const nameOf = <T extends string>(names: Readonly<Record<string, T>>, id: string): string | undefined =>
  Object.keys(names).find((name) => names[name] === id);

/**
 * Name of a canonical id in such a checkpoint; null when it has none.
 * @param expert index of the expert, for an id that is a stack of experts
 */
export function llamaNameOf(id: string, expert?: number): string | null {
  const outer = nameOf(OUTER_NAMES, id);
  if (outer !== undefined) return outer;
  const match = /^blk\.(\d+)\.(\w+)\.(weight|bias)$/.exec(id);
  if (match === null) return null;
  const [, layer, weight = '', part] = match;
  const inner = expert === undefined ? nameOf(LAYER_NAMES, weight) : nameOf(EXPERT_NAMES, weight);
  if (inner === undefined) return null;
  const path = expert === undefined ? inner : `mlp.experts.${expert}.${inner}`;
  return `model.layers.${layer}.${path}.${part}`;
}

/** A weight, or one expert's matrix of a stack. */
export interface HfPlace {
  readonly id: string;
  readonly expert?: number;
}

/** Where a tensor of such a checkpoint belongs; null for one this project does not use. */
export function placeOfLlamaName(name: string): HfPlace | null {
  const outer = OUTER_NAMES[name];
  if (outer !== undefined) return { id: outer };
  const match = /^model\.layers\.(\d{1,5})\.([\w.]+)\.(weight|bias)$/.exec(name);
  if (match === null) return null;
  const [, layer, inner = '', part] = match;
  const expert = /^mlp\.experts\.(\d{1,5})\.(\w+)$/.exec(inner);
  const weight = expert === null ? LAYER_NAMES[inner] : EXPERT_NAMES[expert[2] ?? ''];
  if (weight === undefined) return null;
  const id = `blk.${Number(layer)}.${weight}.${part}`;
  return expert === null ? { id } : { id, expert: Number(expert[1]) };
}
