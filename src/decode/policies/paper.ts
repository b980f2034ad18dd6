import type { PolicySpecInput } from '../spec.js';

const PAPER = 'arXiv:2606.13740';

const slidingDrafts = {
  window: { kind: 'sliding', lookahead: {} },
  cache: { kind: 'prefix', seal: 'delayed' },
  speculate: { kind: 'drafts' },
} as const satisfies Partial<PolicySpecInput>;

/** The other reading of §3.2: a draft is kept and scored, its row is fed the mask (ADR 156). */
const maskedDrafts = {
  ...slidingDrafts,
  speculate: { kind: 'drafts', feed: 'mask' },
} as const satisfies Partial<PolicySpecInput>;

/** The paper's system, rung by rung, what its table lacks, and exact speculation on it. */
export const PAPER_POLICIES = [
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
    name: 'mbsd-drafts-masked',
    description:
      'mbsd whose drafts are scored in the window and fed as masks: what 1.20x in the paper speaks for',
    source: `${PAPER} §3.2, the "+ MBSD" row of Table 6; reading of ADR 156`,
    ...maskedDrafts,
    commit: { kind: 'quota' },
  },
  {
    name: 'mbsd-sts-drafts-masked',
    description: 'mbsd-drafts-masked with staged token stabilization at 0.7 / 0.9',
    source: `${PAPER} §3.3, the "+ STS" row of Table 6; reading of ADR 156`,
    ...maskedDrafts,
    commit: { kind: 'staged' },
  },
  {
    name: 'mbsd-sts-sls-drafts-masked',
    description: 'mbsd-sts-drafts-masked with selective logits skipping',
    source: `${PAPER} §3.3, the "+ SLS" row of Table 6; reading of ADR 156`,
    ...maskedDrafts,
    commit: { kind: 'staged' },
    logits: 'active',
  },
  {
    name: 'llada.cpp-drafts-masked',
    description: 'the full system whose drafts are scored in the window and fed as masks',
    source: `${PAPER}, the "+ SCR" row of Table 6; reading of ADR 156`,
    ...maskedDrafts,
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
] as const satisfies readonly PolicySpecInput[];
