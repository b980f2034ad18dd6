import { overrideSpec } from '../../src/decode/overrides.js';
import { policySpecByName } from '../../src/decode/policies.js';
import type { PolicySpec } from '../../src/decode/spec.js';
import { UsageError } from '../../src/errors.js';
import { Random } from '../../src/train/random.js';

/** A policy that may be tried: a named one and what is changed about it. */
export interface Candidate {
  /** Says it all: name and changes. */
  readonly name: string;
  readonly spec: PolicySpec;
}

/** The paper's full system: always tried, always confirmed. */
export const FULL_SYSTEM = 'llada.cpp';

type Changes = Readonly<Record<string, unknown>>;

const COMMIT: readonly Changes[] = [
  ...[0.8, 0.9, 0.95].map((tau) => ({ 'commit.kind': 'threshold', 'commit.tau': tau })),
  ...[
    [0.6, 0.9],
    [0.7, 0.9],
    [0.8, 0.9],
    [0.8, 0.95],
  ].map(([visible, stable]) => ({ 'commit.visible': visible, 'commit.stable': stable })),
];

const WINDOW: readonly Changes[] = [
  { 'window.kind': 'block', 'cache.seal': 'pass', 'speculate.kind': 'none' },
  { 'window.kind': 'block', 'cache.seal': 'delayed', 'speculate.kind': 'none' },
  { 'window.lookahead': null },
  { 'window.lookahead': null, 'speculate.acceptConfidence': 0.95, 'speculate.feedConfidence': 0.95 },
  { 'window.lookahead': null, 'speculate.requireEqual': true },
  { 'window.lookahead.trigger': 4 },
];

const BLOCKS: readonly Changes[] = [{}, { blockLength: 16 }];

const REFRESH: readonly Changes[] = [{ 'refresh.kind': 'none' }, {}];

function isStaged(commit: Changes): boolean {
  return !('commit.kind' in commit);
}

/** Every combination that makes sense, in a fixed order. */
export function wholeSpace(): Candidate[] {
  const base = policySpecByName(FULL_SYSTEM);
  const found: Candidate[] = [];
  for (const commit of COMMIT) {
    for (const window of WINDOW) {
      for (const block of BLOCKS) {
        // Without staging nothing is ever visible: a refresh would have nothing to do.
        for (const refresh of isStaged(commit) ? REFRESH : REFRESH.slice(0, 1)) {
          const changes = { ...commit, ...window, ...block, ...refresh };
          const spec = tryOverride(base, changes);
          if (spec !== null) found.push({ name: spec.name, spec });
        }
      }
    }
  }
  return found;
}

/** Null for a combination that the policy schema calls contradictory. */
function tryOverride(base: Parameters<typeof overrideSpec>[0], changes: Changes): PolicySpec | null {
  try {
    return overrideSpec(base, changes);
  } catch (error) {
    if (error instanceof UsageError) return null;
    throw error;
  }
}

/**
 * `count` candidates drawn from the space without repetition, the baseline and the full system first.
 * @throws UsageError for an unknown baseline
 */
export function candidates(baseline: string, count: number, seed: number): Candidate[] {
  const named = [...new Set([baseline, FULL_SYSTEM])].map((name) => ({
    name,
    spec: overrideSpec(policySpecByName(name), {}),
  }));
  const space = wholeSpace();
  return [...named, ...new Random(seed).sample(space, Math.min(count, space.length))];
}
