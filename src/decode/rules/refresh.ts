import { hashNumbers } from '../../util/hash-numbers.js';
import type { Canvas, Position } from '../canvas/types.js';
import type { CommitSpec, CpuRefreshSpec, RefreshSpec } from '../spec.js';
import type { RefreshRule } from './rule.js';

/** The landing of a refresh is shared by the CPU lane and the final sweep. */
export interface LandingSpec {
  readonly visible: number;
  readonly stable: number;
  readonly replace: 'visible' | 'always';
}

export function landingSpec(refresh: RefreshSpec, commit: CommitSpec): LandingSpec {
  const replace = refresh.kind === 'cpu' ? refresh.replace : 'visible';
  return commit.kind === 'staged'
    ? { visible: commit.visible, stable: commit.stable, replace }
    : { visible: Number.POSITIVE_INFINITY, stable: Number.POSITIVE_INFINITY, replace };
}

/**
 * A refreshed position: token, confidence, state and KV change together. It becomes S only if the best token
 * passes theta_stable and the KV it then has was made from that token; with a new identity it stays V and its KV is
 * refreshed again later. A stable dependent gets new KV and nothing else.
 */
export function landRefresh(spec: LandingSpec): RefreshRule['land'] {
  return (before, target, passVersion, score) => {
    const { stale: _, ...position } = before;
    if (position.state === 'S') {
      const kv = { position: target.position, version: passVersion, token: position.token } as const;
      return { ...position, kv: { ...kv, residency: 'long-term' } };
    }
    const rewritten = target.feed === target.token;
    const kv =
      rewritten || position.kv === null
        ? {
            position: target.position,
            version: passVersion,
            token: target.feed,
            residency: 'mutable' as const,
          }
        : position.kv;
    const same = score.token === position.token;
    const takes = same || spec.replace === 'always' || score.confidence >= spec.visible;
    if (!takes) return { ...position, kv };
    const stable = score.confidence >= spec.stable && kv.token === score.token;
    return {
      ...position,
      state: stable ? 'S' : 'V',
      token: score.token,
      confidence: score.confidence,
      kv: stable ? { ...kv, residency: 'long-term' } : kv,
    };
  };
}

const NO_REFRESH: Omit<RefreshRule, 'land'> = {
  launch: () => [],
  feed: (position) => position.token,
  marksDependents: false,
  joins: false,
  readable: () => true,
  withWindow: false,
  maxAgeSteps: null,
};

/** Visible positions with durable KV, and stable ones with stale KV, that nobody is working on. */
function candidates(canvas: Canvas, busy: ReadonlySet<number>): number[] {
  const flying = new Set(
    canvas.inFlight.flatMap((ticket) => ticket.targets.map((target) => target.position)),
  );
  const found: number[] = [];
  canvas.positions.forEach((position, index) => {
    const wanted = position.state === 'V' || (position.state === 'S' && position.stale === true);
    if (wanted && position.kv !== null && !flying.has(index) && !busy.has(index)) found.push(index);
  });
  return found;
}

function ordered(spec: CpuRefreshSpec, canvas: Canvas, positions: readonly number[]): number[] {
  const rank = (index: number): number => {
    const position = canvas.positions[index];
    switch (spec.order) {
      case 'oldest':
        return position.kv?.version ?? 0;
      case 'lowest-confidence':
        return position.confidence;
      case 'random':
        return hashNumbers(spec.seed, canvas.step, index);
    }
  };
  const isStable = ({ index }: { readonly index: number }): number =>
    Number(canvas.positions[index].state === 'S');
  return (
    positions
      .map((index) => ({ index, rank: rank(index) }))
      // What may still change goes before what only follows.
      .sort((a, b) => isStable(a) - isStable(b) || a.rank - b.rank || a.index - b.index)
      .map(({ index }) => index)
  );
}

/** Sparse cache refresh on the CPU lane (arXiv:2606.13740 §3.3). */
export function refreshRule(spec: RefreshSpec, commit: CommitSpec): RefreshRule {
  const land = landRefresh(landingSpec(spec, commit));
  if (spec.kind === 'none') return { ...NO_REFRESH, land };
  return {
    launch(canvas, busy) {
      const flying = canvas.inFlight.reduce((sum, ticket) => sum + ticket.targets.length, 0);
      const room = Math.max(0, Math.min(spec.perStep, spec.maxInFlight - flying));
      const chosen = ordered(spec, canvas, candidates(canvas, busy)).slice(0, room);
      const groups: number[][] = [];
      for (let i = 0; i < chosen.length; i += spec.batch) {
        groups.push(chosen.slice(i, i + spec.batch).sort((a, b) => a - b));
      }
      return groups;
    },
    // Re-scored unseen only while the cached entry already stands for the token.
    feed: (position: Position, maskId) =>
      spec.feed === 'mask' && position.state === 'V' && position.kv?.token === position.token
        ? maskId
        : position.token,
    land,
    marksDependents: spec.what === 'self+dependents',
    joins: spec.late === 'block',
    readable: (position) => spec.scope !== 'stable-prefix' || position.kv?.residency === 'long-term',
    withWindow: spec.scope === 'prefix+window',
    maxAgeSteps: spec.maxAgeSteps,
  };
}
