import type { Stages } from '../facts.js';
import type { RefreshRule } from '../rule.js';

/**
 * A refreshed position: token, confidence, state and KV change together. It becomes S only if the best token
 * passes theta_stable and the KV it then has was made from that token; with a new identity it stays V and its KV is
 * refreshed again later. A stable dependent gets new KV and nothing else.
 */
export function landing(stages: Stages | null, replace: 'visible' | 'always'): RefreshRule['land'] {
  // Only staged policies have something visible to refresh.
  const { visible, stable } = stages ?? { visible: Infinity, stable: Infinity };
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
    const takes = same || replace === 'always' || score.confidence >= visible;
    if (!takes) return { ...position, kv };
    const settles = score.confidence >= stable && kv.token === score.token;
    return {
      ...position,
      state: settles ? 'S' : 'V',
      token: score.token,
      confidence: score.confidence,
      kv: settles ? { ...kv, residency: 'long-term' } : kv,
    };
  };
}
