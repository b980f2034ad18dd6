/** Every technique, from the last rung of the ladder to the first: the order in which a policy is taken apart. */
export const LADDER = [
  'sparse cache refresh',
  'selective logits skipping',
  'exact speculation',
  'self-speculation',
  'streaming',
  'staged token stabilization',
  'multi-block speculation',
  'revocation',
  'parallel commit',
  'guidance',
  'KV reuse',
] as const;

export type TechniqueName = (typeof LADDER)[number];

/** The foot of the ladder, and the default of every optional rule: LLaDA's own loop. */
export const BASELINE = {
  window: { kind: 'canvas' },
  cache: { kind: 'none' },
  commit: { kind: 'quota' },
  speculate: { kind: 'none' },
  revise: { falling: 'sticky', feed: 'token', rename: true },
  revoke: { kind: 'none' },
  refresh: { kind: 'none' },
  final: { kind: 'accept' },
  sampling: { kind: 'greedy' },
  logits: 'all',
  confidence: 'max-softmax',
  blockOrigin: 'prompt',
  guidance: 0,
} as const;

/** The rung above it: block by block on prefix KV, one extra pass per finished block. */
export const CACHED_BLOCKS = { window: { kind: 'block' }, seal: 'pass' } as const;

/** Next-token decoding, which self-speculation is a faster way to and streaming another way. */
export const LEFT_TO_RIGHT = { window: { kind: 'next' } } as const;

/** What a technique sees of the policy it is taken out of. */
export interface SpecView {
  readonly window: object;
  readonly cache: object;
}

/** Options of a policy to replace; the schema checks the result. */
export type Changes = Readonly<Record<string, unknown>>;

/** What a rule is sold as, and the policy without it. */
export interface Technique {
  readonly name: TechniqueName;
  /** Set when it promises to change no token: what its twin is without, e.g. `speculation`. */
  readonly lossless?: string;
  without(policy: SpecView): Changes;
}

/** A technique whose opposite is the baseline. */
export function overBaseline(name: TechniqueName, ...keys: readonly (keyof typeof BASELINE)[]): Technique {
  return { name, without: () => Object.fromEntries(keys.map((key) => [key, BASELINE[key]])) };
}

/** Multi-block speculation on prefix KV, without which blocks follow each other. */
export function overCachedBlocks({ cache }: SpecView): Changes {
  return {
    window: CACHED_BLOCKS.window,
    cache: { ...cache, seal: CACHED_BLOCKS.seal },
    speculate: BASELINE.speculate,
  };
}
