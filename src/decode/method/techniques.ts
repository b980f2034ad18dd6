import { type PolicySpec, type PolicySpecInput, parsePolicySpec } from '../spec.js';

/** One technique of a policy, and the policy without it and without everything named before it. */
export interface Technique {
  readonly technique: string;
  /** Promises to change no token. */
  readonly lossless: boolean;
  readonly without: PolicySpec;
}

interface Strip {
  readonly technique: string;
  readonly lossless?: boolean;
  /** What changes; null when the policy does not use the technique. */
  readonly strip: (spec: PolicySpec) => Partial<PolicySpecInput> | null;
}

/** From the last rung of the ladder to the first: the full canvas, as many tokens per step as the schedule says. */
const STRIPS: readonly Strip[] = [
  {
    technique: 'sparse cache refresh',
    strip: ({ refresh, final }) =>
      refresh.kind === 'none' && final.kind === 'accept'
        ? null
        : { refresh: { kind: 'none' }, final: { kind: 'accept' } },
  },
  {
    technique: 'selective logits skipping',
    lossless: true,
    strip: ({ logits }) => (logits === 'all' ? null : { logits: 'all' }),
  },
  {
    technique: 'exact speculation',
    lossless: true,
    strip: ({ speculate }) => (speculate.kind === 'exact' ? { speculate: { kind: 'none' } } : null),
  },
  {
    technique: 'staged token stabilization',
    strip: ({ commit, window }) =>
      commit.kind === 'staged'
        ? {
            commit: { kind: 'quota' },
            revise: {},
            ...(window.kind === 'sliding' ? { window: { ...window, past: 'visible' } } : {}),
          }
        : null,
  },
  {
    technique: 'multi-block speculation',
    strip: ({ speculate, window, cache }) => {
      if (speculate.kind !== 'drafts' && window.kind !== 'sliding') return null;
      return cache.kind === 'prefix'
        ? {
            window: { kind: 'block' },
            cache: { ...cache, seal: 'pass' },
            speculate: { kind: 'none' },
          }
        : { speculate: { kind: 'none' } };
    },
  },
  {
    technique: 'revocation',
    strip: ({ revoke }) =>
      revoke.kind === 'none' ? null : { revoke: { kind: 'none' }, commit: { kind: 'quota' } },
  },
  {
    technique: 'parallel commit',
    strip: ({ commit }) =>
      commit.kind === 'threshold' || commit.kind === 'factor' || commit.kind === 'frechet'
        ? { commit: { kind: 'quota' } }
        : null,
  },
  {
    technique: 'guidance',
    strip: ({ guidance }) => (guidance === 0 ? null : { guidance: 0 }),
  },
  {
    technique: 'KV reuse',
    strip: ({ cache }) =>
      cache.kind === 'none'
        ? null
        : { window: { kind: 'canvas' }, cache: { kind: 'none' }, blockOrigin: 'prompt' },
  },
];

/** The techniques of a policy, last added first. Empty for the baseline itself and for next-token decoding. */
export function techniquesOf(spec: PolicySpec): Technique[] {
  const found: Technique[] = [];
  if (spec.window.kind === 'next') return found;
  let current = spec;
  for (const { technique, lossless = false, strip } of STRIPS) {
    const change = strip(current);
    if (change === null) continue;
    current = parsePolicySpec({ ...current, ...change, name: `${spec.name} without ${technique}` });
    found.push({ technique, lossless, without: current });
  }
  return found;
}
