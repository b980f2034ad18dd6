import { basename } from 'node:path';
import { unknownName } from '../util/nearest.js';
import { readJson } from '../util/read-file.js';
import { AUTOREGRESSIVE_SPEC } from './method/autoregressive.js';
import { composePolicy, type DecodingPolicy, type PolicyInputs } from './method/compose.js';
import { DREAM_SPECS, LLAMA_CPP_SPECS } from './policies-sampled.js';
import { type PolicySpecInput, parsePolicySpec } from './spec.js';

const PAPER = 'arXiv:2606.13740';

const slidingDrafts = {
  window: { kind: 'sliding', lookahead: {} },
  cache: { kind: 'prefix', seal: 'delayed' },
  speculate: { kind: 'drafts' },
} as const satisfies Partial<PolicySpecInput>;

const SPECS = [
  {
    name: 'llada',
    description: 'full canvas every step, one token per step, semi-autoregressive blocks',
    source: `LLaDA generate (low_confidence, temperature 0); the "CPU" and "NPU" rows of ${PAPER} Table 6`,
    window: { kind: 'canvas' },
    cache: { kind: 'none' },
    commit: { kind: 'quota' },
  },
  {
    name: 'block-kv',
    description: 'block by block on cached prefix KV, one token per step, one pass to seal each block',
    source: `${PAPER} §2.1, the "+ prefix KV" rows of Table 6`,
    window: { kind: 'block' },
    cache: { kind: 'prefix', seal: 'pass' },
    commit: { kind: 'quota' },
  },
  {
    name: 'threshold',
    description: 'block by block on cached prefix KV, every token at confidence 0.9 or more',
    source: 'the threshold rule of Fast-dLLM (arXiv:2505.22618); the plain baseline missing from Table 6',
    window: { kind: 'block' },
    cache: { kind: 'prefix', seal: 'pass' },
    commit: { kind: 'threshold', tau: 0.9 },
  },
  {
    name: 'mbsd',
    description:
      'multi-block speculative decoding: sliding window, lookahead and drafts, one regular token per step',
    source: `${PAPER} §3.2, the "+ MBSD" row of Table 6`,
    ...slidingDrafts,
    commit: { kind: 'quota' },
  },
  {
    name: 'mbsd-sts',
    description: 'mbsd with staged token stabilization at 0.7 / 0.9',
    source: `${PAPER} §3.3, the "+ STS" row of Table 6`,
    ...slidingDrafts,
    commit: { kind: 'staged' },
  },
  {
    name: 'mbsd-sts-sls',
    description: 'mbsd-sts with selective logits skipping',
    source: `${PAPER} §3.3, the "+ SLS" row of Table 6`,
    ...slidingDrafts,
    commit: { kind: 'staged' },
    logits: 'active',
  },
  {
    name: 'llada.cpp',
    description: 'mbsd-sts-sls with sparse cache refresh on the CPU: the full system',
    source: `${PAPER}, the "+ SCR" row of Table 6`,
    ...slidingDrafts,
    commit: { kind: 'staged' },
    logits: 'active',
    refresh: { kind: 'cpu' },
  },
  {
    name: 'sts',
    description:
      'block by block on prefix KV with staged token stabilization, no drafts: what staging does alone',
    source: `${PAPER} §3.3 without §3.2; a row that Table 6 does not have`,
    window: { kind: 'block' },
    cache: { kind: 'prefix', seal: 'pass' },
    commit: { kind: 'staged' },
  },
  {
    name: 'exact-speculation',
    blockLength: 8,
    description:
      'block-kv at 8 positions per block, with draft states in the rows that its 32-row tile would waste: the same tokens in fewer forwards',
    source: 'this project; tree verification as in FreeDave, on a tile budget and across block boundaries',
    window: { kind: 'block' },
    cache: { kind: 'prefix', seal: 'pass' },
    commit: { kind: 'quota' },
    speculate: { kind: 'exact' },
  },
  {
    name: 'exact-speculation-threshold',
    blockLength: 8,
    description:
      'threshold at 8 positions per block, with draft states in the rows that its 32-row tile would waste: the same tokens in fewer forwards',
    source: 'this project, as exact-speculation',
    window: { kind: 'block' },
    cache: { kind: 'prefix', seal: 'pass' },
    commit: { kind: 'threshold', tau: 0.9 },
    speculate: { kind: 'exact' },
  },
  {
    name: 'fast-dllm-prefix',
    description:
      'one full pass per block fills the prefix cache, block and suffix are recomputed, confidence 0.9 (gives up D1-kv)',
    source:
      'Fast-dLLM v1 (arXiv:2505.22618), prefix cache + parallel decoding; without the extra forward of June 2025',
    window: { kind: 'per-block', extent: 'suffix' },
    cache: { kind: 'per-block' },
    commit: { kind: 'threshold', tau: 0.9 },
  },
  {
    name: 'fast-dllm-dual',
    description:
      'one full pass per block fills the cache of prefix and suffix, only the block is recomputed, confidence 0.9 (gives up D1-kv, B2-masked-kv)',
    source:
      'Fast-dLLM v1 (arXiv:2505.22618), dual cache + parallel decoding; without the extra forward of June 2025',
    window: { kind: 'per-block', extent: 'block' },
    cache: { kind: 'per-block' },
    commit: { kind: 'threshold', tau: 0.9 },
  },
  {
    name: 'fast-dllm-factor',
    description:
      'fast-dllm-dual with the factor rule instead of the threshold (gives up D1-kv, B2-masked-kv)',
    source: 'Fast-dLLM v1 (arXiv:2505.22618), factor 1; without its off-by-one at the last rank',
    window: { kind: 'per-block', extent: 'block' },
    cache: { kind: 'per-block' },
    commit: { kind: 'factor' },
  },
  {
    name: 'dkv',
    description:
      'full canvas, one token per step; a decided position is recomputed once, then cached, all anew every 8 steps (gives up D1-kv)',
    source: 'dKV-Cache-Decode (arXiv:2505.15781)',
    window: { kind: 'canvas' },
    cache: { kind: 'decided' },
    commit: { kind: 'quota' },
  },
  {
    name: 'wino',
    description:
      'full canvas, drafts above 0.6, and a shadow copy of the block that takes weak tokens back (gives up D4-every-step)',
    source: 'WINO (arXiv:2507.18578), tau_1 0.6 and tau_2 0.9; its block length is 128',
    window: { kind: 'canvas' },
    cache: { kind: 'none' },
    commit: { kind: 'revocable' },
    revoke: { kind: 'shadow' },
  },
  {
    name: 'block-causal',
    description:
      'block by block on exact prefix KV: blocks begin at position 0, see themselves and what is left of them; confidence above 0.95',
    source: 'LLaDA2.0 (strict 0.95) and SDAR; the last block ends with the text instead of being filled up',
    blockOrigin: 'zero',
    window: { kind: 'block' },
    cache: { kind: 'prefix', seal: 'pass', prompt: 'block-causal' },
    commit: { kind: 'threshold', tau: 0.95, compare: 'above' },
  },
  {
    name: 'llada-random',
    description:
      'llada with random remasking: the place of the next token is drawn, not the most confident one',
    source: 'LLaDA generate, remasking random',
    window: { kind: 'canvas' },
    cache: { kind: 'none' },
    commit: { kind: 'quota' },
    confidence: 'random',
  },
  {
    name: 'llada-cfg',
    description:
      'llada with classifier-free guidance at scale 1: the canvas twice per step, once with the prompt masked',
    source: 'LLaDA generate, cfg_scale; one forward of twice the rows',
    window: { kind: 'canvas' },
    cache: { kind: 'none' },
    commit: { kind: 'quota' },
    guidance: 1,
  },
  {
    name: 'llada-gumbel',
    description:
      'llada at temperature 0.5: tokens drawn by Gumbel noise, confidence of the logits without noise',
    source: 'LLaDA generate, temperature; noise in f64 and in its logarithmic form',
    window: { kind: 'canvas' },
    cache: { kind: 'none' },
    commit: { kind: 'quota' },
    sampling: { kind: 'gumbel', temperature: 0.5 },
  },
  ...DREAM_SPECS,
  ...LLAMA_CPP_SPECS,
] as const satisfies readonly PolicySpecInput[];

/** Specs of the named diffusion policies, in the order of the ablation ladder. */
export const POLICY_SPECS: readonly PolicySpecInput[] = SPECS;

/** Every named policy: those of diffusion models, and the one of causal models. */
export const ALL_POLICY_SPECS: readonly PolicySpecInput[] = [...SPECS, AUTOREGRESSIVE_SPEC];

/** Names of the diffusion policies. */
export const POLICY_NAMES: readonly string[] = SPECS.map((spec) => spec.name);

/**
 * A named policy, or one read from a `.json` file (keys as in `policies NAME --json`, defaults may be left out).
 * @throws UsageError with the nearest names, or naming the key that is wrong
 */
export function policySpecByName(name: string): PolicySpecInput {
  if (name.endsWith('.json')) return readPolicyFile(name);
  const found = ALL_POLICY_SPECS.find((spec) => spec.name === name);
  if (found === undefined) throw unknownName('policy', name, [...POLICY_NAMES, AUTOREGRESSIVE_SPEC.name]);
  return found;
}

/**
 * A named policy, ready to decode.
 * @throws UsageError with the nearest names
 */
export function policyByName(name: string, inputs: PolicyInputs = {}): DecodingPolicy {
  return composePolicy(policySpecByName(name), inputs);
}

function readPolicyFile(path: string): PolicySpecInput {
  const json = readJson(path);
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return parsePolicySpec(json);
  // Editors read the schema's address here.
  const { $schema: _, ...spec } = json as Record<string, unknown>;
  return parsePolicySpec({ name: basename(path, '.json'), ...spec });
}
