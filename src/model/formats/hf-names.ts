import type { LayerWeight } from '../weight-ids.js';
import { type HfPlace, placeOfLlamaName } from './hf-names-llama.js';

/**
 * LLaDA's names on Hugging Face (GSAI-ML/LLaDA-8B). Mind `ff_out`: inside a block it is the feed-forward's down
 * projection, outside it is the head.
 */
const BLOCK_NAMES: Readonly<Record<string, LayerWeight>> = {
  attn_norm: 'attn_norm',
  q_proj: 'attn_q',
  k_proj: 'attn_k',
  v_proj: 'attn_v',
  attn_out: 'attn_output',
  ff_norm: 'ffn_norm',
  ff_proj: 'ffn_gate',
  up_proj: 'ffn_up',
  ff_out: 'ffn_down',
};

const OUTER_NAMES: Readonly<Record<string, string>> = {
  'wte.weight': 'token_embd.weight',
  'ln_f.weight': 'output_norm.weight',
  'ff_out.weight': 'output.weight',
};

const PREFIX = 'model.transformer.';

/** Canonical id of a tensor of a Hugging Face LLaDA checkpoint; null for one this project does not use. */
export function canonicalFromHf(name: string): string | null {
  if (!name.startsWith(PREFIX)) return null;
  const inner = name.slice(PREFIX.length);
  const outer = OUTER_NAMES[inner];
  if (outer !== undefined) return outer;
  const match = /^blocks\.(\d+)\.(\w+)\.(weight|bias)$/.exec(inner);
  const weight = BLOCK_NAMES[match?.[2] ?? ''];
  return match === null || weight === undefined ? null : `blk.${Number(match[1])}.${weight}.${match[3]}`;
}

/** Where a tensor of a checkpoint of any family belongs; null for one this project does not use. */
export function placeOfHfName(name: string): HfPlace | null {
  const id = canonicalFromHf(name);
  return id === null ? placeOfLlamaName(name) : { id };
}

/** Hugging Face name of a canonical id; null when LLaDA has no such weight. */
export function hfFromCanonical(id: string): string | null {
  for (const [name, canonical] of Object.entries(OUTER_NAMES)) if (canonical === id) return PREFIX + name;
  const match = /^blk\.(\d+)\.(\w+)\.(weight|bias)$/.exec(id);
  const name = Object.keys(BLOCK_NAMES).find((key) => BLOCK_NAMES[key] === match?.[2]);
  return match === null || name === undefined ? null : `${PREFIX}blocks.${match[1]}.${name}.${match[3]}`;
}
