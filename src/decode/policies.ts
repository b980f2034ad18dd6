import { unknownName } from '../util/nearest.js';
import { composePolicy, type DecodingPolicy, type PolicyInputs } from './compose.js';
import type { PolicySpecInput } from './spec.js';

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
] as const satisfies readonly PolicySpecInput[];

/** Specs of the named policies, in the order of the ablation ladder. */
export const POLICY_SPECS: readonly PolicySpecInput[] = SPECS;

export const POLICY_NAMES: readonly string[] = SPECS.map((spec) => spec.name);

/** @throws UsageError with the nearest names */
export function policySpecByName(name: string): PolicySpecInput {
  const found = POLICY_SPECS.find((spec) => spec.name === name);
  if (found === undefined) throw unknownName('policy', name, POLICY_NAMES);
  return found;
}

/**
 * A named policy, ready to decode.
 * @throws UsageError with the nearest names
 */
export function policyByName(name: string, inputs: PolicyInputs = {}): DecodingPolicy {
  return composePolicy(policySpecByName(name), inputs);
}
