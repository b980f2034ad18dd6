/**
 * The ladder of llada.cpp (arXiv:2606.13740, Table 6): each row adds one thing to the row before it, except
 * `NPU`, which goes back to the vanilla schedule of `CPU`. GSM8K, 128 tokens, SM8750, seconds.
 */

import type { MemoryMode } from '../../../sim/memory/runtime.js';

export interface LadderRow {
  readonly name: string;
  /** Registry name of the decoding policy. */
  readonly policy: string;
  /** Registry name of the software stack that turns its operators into work. */
  readonly stack: 'cpu' | 'llada.cpp';
  readonly memory: MemoryMode;
  /** Table 6, seconds. */
  readonly paperS: number;
  /**
   * Row whose tokens this row must reproduce, or why it need not.
   * Policies that see another context, or commit several tokens at once, may write other text.
   */
  readonly tokens: { readonly sameAs: string } | { readonly mayDifferFrom: string; readonly because: string };
}

const STALE_PREFIX =
  'prefix KV is computed once without the later blocks in view, so the context differs from the full canvas';

export const LADDER: readonly LadderRow[] = [
  {
    name: 'CPU',
    policy: 'llada',
    stack: 'cpu',
    memory: 'unlimited',
    paperS: 2996.2,
    tokens: { sameAs: 'CPU' },
  },
  {
    name: 'CPU + prefix KV',
    policy: 'block-kv',
    stack: 'cpu',
    memory: 'unlimited',
    paperS: 607.0,
    tokens: { mayDifferFrom: 'CPU', because: STALE_PREFIX },
  },
  {
    name: 'NPU',
    policy: 'llada',
    stack: 'llada.cpp',
    memory: 'on-demand',
    paperS: 341.2,
    tokens: { sameAs: 'CPU' },
  },
  {
    name: 'NPU + prefix KV',
    policy: 'block-kv',
    stack: 'llada.cpp',
    memory: 'on-demand',
    paperS: 87.0,
    tokens: { sameAs: 'CPU + prefix KV' },
  },
  {
    name: '+ SOMR',
    policy: 'block-kv',
    stack: 'llada.cpp',
    memory: 'somr',
    paperS: 71.6,
    tokens: { sameAs: 'CPU + prefix KV' },
  },
  {
    name: '+ MBSD',
    policy: 'mbsd-drafts-masked',
    stack: 'llada.cpp',
    memory: 'somr',
    paperS: 59.8,
    tokens: {
      mayDifferFrom: 'CPU + prefix KV',
      because: 'drafts of later blocks are part of the context, and several may be accepted at once',
    },
  },
  {
    name: '+ STS',
    policy: 'mbsd-sts-drafts-masked',
    stack: 'llada.cpp',
    memory: 'somr',
    paperS: 16.4,
    tokens: {
      mayDifferFrom: 'CPU + prefix KV',
      because: 'all positions over the visible threshold are committed together',
    },
  },
  {
    name: '+ SLS',
    policy: 'mbsd-sts-sls-drafts-masked',
    stack: 'llada.cpp',
    memory: 'somr',
    paperS: 15.8,
    tokens: { sameAs: '+ STS' },
  },
  {
    name: '+ SCR',
    policy: 'llada.cpp-drafts-masked',
    stack: 'llada.cpp',
    memory: 'somr',
    paperS: 16.1,
    tokens: {
      mayDifferFrom: '+ SLS',
      because: 'visible tokens of finished blocks are re-scored and may change',
    },
  },
];

/** The last rung: what every study calls the full system. */
export const FULL_SYSTEM = 'llada.cpp-drafts-masked';

/** Its other reading: drafts are fed as their tokens (ADR 156). */
export const FULL_SYSTEM_DRAFTS_FED = 'llada.cpp';
