import { unknownName } from '../util/nearest.js';
import type { ModelConfig } from './config.js';
import { ALIASES, AUTOREGRESSIVE } from './presets-ar.js';
import { TIMED_ONLY } from './presets-timed.js';

/** https://huggingface.co/GSAI-ML/LLaDA-8B-Instruct (config.json); Base and 1.5 have the same shapes. */
const LLADA_8B: ModelConfig = {
  name: 'llada-8b',
  arch: 'llada',
  layers: 32,
  hidden: 4096,
  heads: 32,
  kvHeads: 32,
  headDim: 128,
  ffn: 12288,
  vocab: 126464,
  ropeTheta: 500_000,
  rmsEps: 1e-5,
  qkvBias: false,
  qkNorm: false,
  tiedHead: false,
  shiftLogits: false,
  attention: 'bidirectional',
  contextLength: 4096,
  maskId: 126336,
  bosId: 126080,
  eosId: 126081,
};

/** https://huggingface.co/Dream-org/Dream-v0-Instruct-7B (config.json): Qwen2.5-7B shapes, logits shifted by one. */
const DREAM_7B: ModelConfig = {
  name: 'dream-7b',
  arch: 'dream',
  layers: 28,
  hidden: 3584,
  heads: 28,
  kvHeads: 4,
  headDim: 128,
  ffn: 18944,
  vocab: 152064,
  ropeTheta: 1_000_000,
  rmsEps: 1e-6,
  qkvBias: true,
  qkNorm: false,
  tiedHead: false,
  shiftLogits: true,
  attention: 'bidirectional',
  contextLength: 131072,
  maskId: 151666,
  bosId: 151643,
  eosId: 151643,
};

/** https://huggingface.co/inclusionAI/LLaDA-MoE-7B-A1B-Instruct: softmax router without renormalisation. */
const LLADA_MOE_7B: ModelConfig = {
  name: 'llada-moe-7b-a1b',
  arch: 'llada-moe',
  layers: 16,
  hidden: 2048,
  heads: 16,
  kvHeads: 16,
  headDim: 128,
  ffn: 0,
  vocab: 157184,
  ropeTheta: 50_000,
  rmsEps: 1e-5,
  qkvBias: false,
  qkNorm: true,
  tiedHead: false,
  moe: { experts: 64, expertsPerToken: 8, expertFfn: 1024, renormalise: false },
  shiftLogits: false,
  attention: 'bidirectional',
  contextLength: 8192,
  maskId: 156895,
  bosId: null,
  eosId: 156892,
};

/** https://huggingface.co/meta-llama/Meta-Llama-3-8B (config.json): the autoregressive baseline. */
const LLAMA_3_8B: ModelConfig = {
  name: 'llama-3-8b',
  arch: 'llama',
  layers: 32,
  hidden: 4096,
  heads: 32,
  kvHeads: 8,
  headDim: 128,
  ffn: 14336,
  vocab: 128256,
  ropeTheta: 500_000,
  rmsEps: 1e-5,
  qkvBias: false,
  qkNorm: false,
  tiedHead: false,
  shiftLogits: true,
  attention: 'causal',
  contextLength: 8192,
  maskId: null,
  bosId: 128000,
  eosId: 128001,
};

const PRESETS: ReadonlyMap<string, ModelConfig> = new Map(
  [LLADA_8B, DREAM_7B, LLADA_MOE_7B, LLAMA_3_8B, ...AUTOREGRESSIVE, ...TIMED_ONLY].map((config) => [
    config.name,
    config,
  ]),
);

/** Names `resolvePreset` knows, in the order they are listed to users. */
export const PRESET_NAMES: readonly string[] = [...PRESETS.keys()];

/**
 * Shapes of a published model by name, e.g. `llada-8b`, `dream-7b`, `llada-moe-7b-a1b`, `llama-3-8b`, `qwen3-4b`.
 * @throws UsageError naming the nearest known names
 */
export function resolvePreset(name: string): ModelConfig {
  const asked = name.toLowerCase();
  const config = PRESETS.get(ALIASES[asked] ?? asked);
  if (config === undefined) throw unknownName('model', name, PRESET_NAMES);
  return config;
}

/** Whether `resolvePreset` knows a name. */
export function isPresetName(name: string): boolean {
  const asked = name.toLowerCase();
  return PRESETS.has(ALIASES[asked] ?? asked);
}
