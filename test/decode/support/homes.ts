import { ALL_POLICY_SPECS } from '../../../src/decode/policies.js';
import type { RULES } from '../../../src/decode/rules/registry.js';
import { type PolicySpec, type PolicySpecInput, parsePolicySpec } from '../../../src/decode/spec.js';

export type Kind = keyof typeof RULES;

/** Policies that a rule is at home in, every rule at least once: the kind, a named policy, and what is changed of it. */
export const HOMES: readonly (readonly [kind: Kind, policy: string, change?: Partial<PolicySpecInput>])[] = [
  ['window', 'llada'],
  ['window', 'llada', { window: { kind: 'canvas', extent: 'growing' } }],
  ['window', 'block-kv'],
  ['window', 'fast-dllm-prefix'],
  ['window', 'block-kv', { window: { kind: 'block', extent: 'suffix' } }],
  ['window', 'fast-dllm-dual'],
  ['window', 'mbsd'],
  ['window', 'mbsd-sts', { window: { kind: 'sliding', past: 'stable' } }],
  ['window', 'autoregressive'],
  ['window', 'nemotron-self-speculation'],
  ['window', 'wedlm'],
  ['cache', 'llada'],
  ['cache', 'block-kv'],
  ['cache', 'mbsd'],
  ['cache', 'mbsd', { cache: { kind: 'prefix', seal: 'as-is' } }],
  ['cache', 'block-causal'],
  ['cache', 'fast-dllm-v2'],
  ['cache', 'fast-dllm-dual'],
  ['cache', 'dkv'],
  ['cache', 'multi-block-cached'],
  ['commit', 'llada'],
  ['commit', 'llama.cpp-diffusion-origin'],
  ['commit', 'threshold'],
  ['commit', 'dream'],
  ['commit', 'fast-dllm-factor'],
  ['commit', 'threshold', { commit: { kind: 'frechet' } }],
  ['commit', 'eb-sampler'],
  ['commit', 'local-leap'],
  ['commit', 'bounded-rank'],
  ['commit', 'multi-block'],
  [
    'commit',
    'multi-block',
    { window: { kind: 'block', extent: 'suffix' }, cache: { kind: 'prefix', seal: 'pass' } },
  ],
  ['commit', 'fast-dllm-v2'],
  ['commit', 'klass'],
  ['commit', 'joint-threshold'],
  ['commit', 'joint-threshold', { commit: { kind: 'indel', deleteId: 2, splitId: 3 } }],
  ['commit', 'prophet'],
  ['commit', 'wino'],
  ['commit', 'sts'],
  ['speculate', 'llada'],
  ['speculate', 'mbsd'],
  ['speculate', 'exact-speculation'],
  ['speculate', 'exact-speculation', { window: { kind: 'block', extent: 'suffix' } }],
  [
    'speculate',
    'exact-speculation',
    { window: { kind: 'sliding' }, cache: { kind: 'prefix', seal: 'delayed' } },
  ],
  ['speculate', 'exact-speculation', { commit: { kind: 'timestep', transfer: 'each' } }],
  ['speculate', 'exact-speculation-threshold'],
  ['speculate', 'dkv', { speculate: { kind: 'exact' } }],
  ['revoke', 'llada'],
  ['revoke', 'wino'],
  ['revoke', 'wino', { commit: { kind: 'revocable', tau: 0.3 } }],
  ['refresh', 'llada'],
  ['refresh', 'llada.cpp'],
  ['refresh', 'sts', { refresh: { kind: 'cpu', batch: 1 }, final: { kind: 'sweep', passes: 3 } }],
  ['final', 'llada'],
  ['final', 'mbsd-sts', { final: { kind: 'sweep' } }],
  ['sampling', 'llada'],
  ['sampling', 'llada-gumbel'],
  ['sampling', 'dream'],
  ['logits', 'llada'],
  ['logits', 'llada.cpp'],
  ['confidence', 'llada'],
  ['confidence', 'dream-margin'],
  ['confidence', 'dream'],
  ['confidence', 'llama.cpp-diffusion-entropy'],
  ['confidence', 'eb-sampler'],
  ['confidence', 'llada-random'],
];

/** What a home is called. */
export const sectionOf = ([kind, policy, change]: (typeof HOMES)[number]): string =>
  `${kind} of ${policy}${change === undefined ? '' : ` ${JSON.stringify(change)}`}`;

/** The policy of a home, every default filled in. */
export function homeOf([, policy, change = {}]: (typeof HOMES)[number]): PolicySpec {
  const found = ALL_POLICY_SPECS.find((spec) => spec.name === policy);
  if (found === undefined) throw new Error(`no policy ${policy}`);
  return parsePolicySpec({ ...found, ...change });
}

/** The name of a part of a policy. */
export const nameOf = (part: string | { readonly kind: string }): string =>
  typeof part === 'string' ? part : part.kind;
