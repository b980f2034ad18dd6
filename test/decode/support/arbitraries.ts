import fc from 'fast-check';
import type { PolicySpecInput } from '../../../src/decode/spec.js';
import { TOY_MASK } from './toy-engine.js';

/** Runs per property; `npm run fuzz` raises it. */
export const RUNS = Number(process.env.DLLM_FUZZ_RUNS ?? 1000);

/** Time limit of a property: 60 ms per run is ten times what one takes. */
export const TIME_LIMIT_MS = Math.max(120_000, RUNS * 60);

export const blockLengths = fc.integer({ min: 1, max: 8 });

const thresholds = fc.constantFrom(0.1, 0.3, 0.5, 0.7, 0.9, 1.01);

export const staged = fc.tuple(thresholds, thresholds).map(([a, b]) => ({
  kind: 'staged' as const,
  visible: Math.min(a, b),
  stable: Math.max(a, b),
}));

const commit = (blockLength: number) =>
  fc.oneof(
    fc.record({
      kind: fc.constant('quota' as const),
      stepsPerBlock: fc.option(fc.integer({ min: 1, max: blockLength })),
    }),
    fc.record({
      kind: fc.constant('threshold' as const),
      tau: thresholds,
      compare: fc.constantFrom('at-least' as const, 'above' as const),
    }),
    staged,
  );

const drafts = fc.record({
  kind: fc.constant('drafts' as const),
  feed: fc.constantFrom('token' as const, 'mask' as const),
  feedConfidence: thresholds,
  acceptConfidence: thresholds,
  requireEqual: fc.boolean(),
  evaluate: fc.constantFrom('once' as const, 'every-step' as const),
  entry: fc.constantFrom('evaluate' as const, 'evaluate' as const, 'carry' as const),
});

const lookahead = fc.record({
  trigger: fc.integer({ min: 0, max: 8 }),
  inclusive: fc.boolean(),
  allowanceRatio: fc.constantFrom(0, 0.5, 2),
  maxRows: fc.integer({ min: 0, max: 12 }),
  memoryBudgetMib: fc.constantFrom(null, 0, 1, 3),
  buckets: fc.constantFrom('step' as const, 'smooth' as const),
});

const refresh = fc.oneof(
  fc.constant({ kind: 'none' as const }),
  fc
    .record({
      kind: fc.constant('cpu' as const),
      order: fc.constantFrom('oldest' as const, 'lowest-confidence' as const, 'random' as const),
      seed: fc.nat(9),
      batch: fc.integer({ min: 1, max: 4 }),
      perStep: fc.integer({ min: 1, max: 5 }),
      maxInFlight: fc.integer({ min: 1, max: 9 }),
      scope: fc.constantFrom('prefix' as const, 'stable-prefix' as const, 'prefix+window' as const),
      feed: fc.constantFrom('token' as const, 'mask' as const),
      replace: fc.constantFrom('visible' as const, 'always' as const),
      maxAgeSteps: fc.option(fc.nat(2)),
      what: fc.constantFrom('self' as const, 'self' as const, 'self+dependents' as const),
      late: fc.constantFrom('apply' as const, 'apply' as const, 'block' as const),
    })
    .map((spec) => ({
      ...spec,
      maxAgeSteps: spec.late === 'block' ? null : spec.maxAgeSteps,
      maxInFlight: Math.max(spec.maxInFlight, spec.perStep),
      feed: spec.order === 'oldest' ? ('token' as const) : spec.feed,
    })),
);

const revise = fc.record({
  falling: fc.constantFrom('sticky' as const, 'demote' as const),
  feed: fc.constantFrom('token' as const, 'token' as const, 'mask' as const),
  rename: fc.boolean(),
});
const final = fc.oneof(
  fc.constant({ kind: 'accept' as const }),
  fc.record({ kind: fc.constant('sweep' as const), passes: fc.integer({ min: 1, max: 3 }) }),
);
const logits = fc.constantFrom('all' as const, 'active' as const);
const none = fc.constant({ kind: 'none' as const });

/** Scored unseen only where there is something visible. */
function sound<T extends { commit: { kind: string }; revise: { feed: 'token' | 'mask' } }>(spec: T): T {
  return spec.commit.kind === 'staged' ? spec : { ...spec, revise: { ...spec.revise, feed: 'token' } };
}

/** Full or growing canvas without a cache. */
export const canvasSpecs: fc.Arbitrary<PolicySpecInput> = blockLengths.chain((blockLength) =>
  fc
    .record({
      name: fc.constant('canvas'),
      blockLength: fc.constant(blockLength),
      window: fc.record({ kind: fc.constant('canvas' as const), extent: fc.constantFrom('full', 'growing') }),
      cache: none,
      commit: commit(blockLength),
      speculate: fc.oneof(none, drafts),
      revise,
      logits,
      guidance: fc.constantFrom(0, 0, 1.5),
    })
    .map(sound),
);

/** Block windows on prefix KV. */
export const blockSpecs: fc.Arbitrary<PolicySpecInput> = blockLengths.chain((blockLength) =>
  fc
    .record({
      name: fc.constant('block'),
      blockLength: fc.constant(blockLength),
      extent: fc.constantFrom('block' as const, 'suffix' as const),
      look: fc.option(lookahead),
      seal: fc.constantFrom('pass' as const, 'as-is' as const),
      commit: commit(blockLength),
      drafts,
      revise,
      refresh,
      logits,
      final,
    })
    .map(({ extent, look, seal, drafts: d, refresh: r, final: f, ...raw }): PolicySpecInput => {
      const spec = sound(raw);
      const isStaged = spec.commit.kind === 'staged';
      const ahead = extent === 'block' && look !== null;
      return {
        ...spec,
        window: { kind: 'block', extent, ...(ahead ? { lookahead: look } : {}) },
        cache: { kind: 'prefix', seal },
        speculate: ahead || extent === 'suffix' ? d : { kind: 'none' },
        refresh: isStaged ? r : { kind: 'none' },
        final: isStaged ? f : { kind: 'accept' },
      };
    }),
);

/** Sliding windows, the family of llada.cpp. */
export const slidingSpecs: fc.Arbitrary<PolicySpecInput> = blockLengths.chain((blockLength) =>
  fc
    .record({
      name: fc.constant('sliding'),
      blockLength: fc.constant(blockLength),
      extraRows: fc.nat(6),
      past: fc.constantFrom('visible' as const, 'stable' as const),
      look: fc.option(lookahead),
      seal: fc.constantFrom('delayed' as const, 'delayed' as const, 'as-is' as const),
      commit: fc.oneof(commit(blockLength), staged),
      speculate: fc.oneof(none, drafts, drafts),
      revise,
      refresh,
      logits,
      final,
    })
    .map(({ extraRows, past, look, seal, refresh: r, final: f, ...raw }): PolicySpecInput => {
      const spec = sound(raw);
      const isStaged = spec.commit.kind === 'staged';
      const ahead = spec.speculate.kind === 'drafts' && look !== null;
      return {
        ...spec,
        window: {
          kind: 'sliding',
          size: spec.blockLength + extraRows,
          past: isStaged ? past : 'visible',
          ...(ahead ? { lookahead: look } : {}),
        },
        cache: { kind: 'prefix', seal },
        refresh: isStaged ? r : { kind: 'none' },
        final: isStaged ? f : { kind: 'accept' },
      };
    }),
);

/** What is decoded and how the toy model behaves. */
export const workloads = fc.record({
  seed: fc.nat(),
  sway: fc.constantFrom(0.1, 0.4, 0.8),
  sharpness: fc.constantFrom(3, 7, 12),
  promptIds: fc.array(fc.nat(TOY_MASK - 1), { minLength: 1, maxLength: 9 }),
  blocks: fc.integer({ min: 1, max: 4 }),
  /** Null: no timer. */
  timerSeed: fc.option(fc.nat()),
});

export type Workload = typeof workloads extends fc.Arbitrary<infer T> ? T : never;
