import type { PolicySpec } from '../spec.js';

/**
 * Parts of laws that a method may give up by design:
 * - `D1-kv` the KV of a stable position is computed anew now and then (its token stays);
 * - `D2-exact-kv` long-term KV may stem from a row that was not fed the final token;
 * - `B2-masked-kv` KV of undecided positions, computed from masks, is cached and read (and D2 with it);
 * - `B3-fresh-logits` a draft may be accepted on the logits of an earlier step;
 * - `V-context` a visible position may be fed the mask;
 * - `D4-every-step` a single step may end with as many masks as it began, or more.
 */
export type LawPart =
  | 'D1-kv'
  | 'D2-exact-kv'
  | 'B2-masked-kv'
  | 'B3-fresh-logits'
  | 'V-context'
  | 'D4-every-step';

export interface GivenUp {
  readonly part: LawPart;
  readonly because: string;
}

/** What a policy gives up, each with its reason. Every other law is checked in full. */
export function lawsGivenUp(spec: PolicySpec): GivenUp[] {
  const { cache, window, revoke } = spec;
  const found: GivenUp[] = [];
  if (cache.kind === 'prefix' && cache.seal === 'as-is') {
    found.push({
      part: 'D2-exact-kv',
      because: 'cache.seal as-is keeps KV from the step that decided a token',
    });
  }
  if (cache.kind === 'per-block') {
    found.push({
      part: 'D1-kv',
      because: 'the full pass that opens a block computes the KV of everything anew',
    });
    if (window.kind === 'per-block' && window.extent === 'block') {
      found.push({ part: 'B2-masked-kv', because: 'the masks right of the block are read from the cache' });
    }
  }
  if (cache.kind === 'decided') {
    found.push({
      part: 'D1-kv',
      because: `KV is computed anew every ${cache.refreshEvery} steps of a block`,
    });
  }
  if (spec.refresh.kind === 'cpu' && spec.refresh.what === 'self+dependents') {
    found.push({ part: 'D1-kv', because: 'the KV of entries that saw a changed token is computed anew' });
  }
  if (revoke.kind === 'shadow') {
    found.push({ part: 'D4-every-step', because: 'a step may take back more tokens than it commits' });
  }
  if (spec.speculate.kind === 'drafts' && spec.speculate.entry === 'carry') {
    found.push({ part: 'B3-fresh-logits', because: 'drafts enter their block with the state they had' });
  }
  if (spec.commit.kind === 'staged' && spec.revise.feed === 'mask') {
    found.push({ part: 'V-context', because: 'visible positions are scored unseen' });
  }
  if (spec.commit.kind === 'quota' && spec.commit.transfer === 'each') {
    found.push({ part: 'D4-every-step', because: 'every mask has its own coin, and all may fall short' });
  }
  if (spec.commit.kind === 'timestep') {
    found.push({ part: 'D4-every-step', because: 'the schedule has steps that commit nothing' });
  }
  return found;
}

/** One line, e.g. for descriptions: `gives up D1-kv: ...`. Empty when every law holds in full. */
export function describeGivenUp(spec: PolicySpec): string[] {
  return lawsGivenUp(spec).map(({ part, because }) => `gives up ${part}: ${because}`);
}
