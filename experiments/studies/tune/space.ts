import { overrideSpec } from '../../../src/decode/overrides.js';
import { policySpecByName } from '../../../src/decode/policies.js';
import type { PolicySpecInput } from '../../../src/decode/spec.js';
import { UsageError } from '../../../src/errors.js';
import { Random } from '../../../src/score/random.js';
import { FULL_SYSTEM } from '../ladder/ladder.js';

/** A policy that may be tried: a named one and what is changed about it. */
export interface Candidate {
  /** Says it all: name and changes. */
  readonly name: string;
  readonly policy: string;
  readonly changes: Changes;
}

type Changes = Readonly<Record<string, unknown>>;

/** One choice and how it is called in tables. */
interface Choice {
  readonly label: string;
  readonly changes: Changes;
}

const staged = (visible: number, stable: number): Choice => ({
  label: `staged ${visible}/${stable}`,
  changes: { 'commit.visible': visible, 'commit.stable': stable },
});

const THRESHOLDS: readonly Choice[] = [0.8, 0.9, 0.95].map((tau) => ({
  label: `threshold ${tau}`,
  changes: { 'commit.kind': 'threshold', 'commit.tau': tau },
}));
const STAGED: readonly Choice[] = [staged(0.6, 0.9), staged(0.7, 0.9), staged(0.8, 0.9), staged(0.8, 0.95)];

const BLOCK_WINDOW = { 'window.kind': 'block', 'speculate.kind': 'none' };
const WINDOWS: readonly Choice[] = [
  { label: 'block', changes: { ...BLOCK_WINDOW, 'cache.seal': 'pass' } },
  {
    label: 'block, exact speculation',
    changes: { ...BLOCK_WINDOW, 'cache.seal': 'pass', 'speculate.kind': 'exact' },
  },
  { label: 'sliding', changes: { 'window.lookahead': null } },
  {
    label: 'sliding, drafts at 0.95',
    changes: {
      'window.lookahead': null,
      'speculate.acceptConfidence': 0.95,
      'speculate.feedConfidence': 0.95,
    },
  },
  {
    label: 'sliding, drafts must repeat',
    changes: { 'window.lookahead': null, 'speculate.requireEqual': true },
  },
  { label: 'sliding, lookahead', changes: { 'window.lookahead.trigger': 4 } },
];

const LENGTHS: readonly Choice[] = [
  { label: '', changes: {} },
  { label: 'blocks of 16', changes: { blockLength: 16 } },
  { label: 'blocks of 8', changes: { blockLength: 8 } },
];

/**
 * Always tried, beside the drawn ones: this project's lossless speculation and what it speculates on, so that the
 * answer to "what beats the full system" does not hang on the draw.
 */
const CONTENDERS: readonly string[] = [
  'threshold 0.9, block, exact speculation, blocks of 8',
  'threshold 0.95, block, exact speculation, blocks of 8',
  'threshold 0.9, block, blocks of 8',
];

const NO_REFRESH: Choice = { label: '', changes: { 'refresh.kind': 'none' } };
const REFRESH: Choice = { label: 'SCR', changes: {} };

/** Every combination that makes sense, in a fixed order. All have selective logits skipping. */
export function wholeSpace(): Candidate[] {
  const base = policySpecByName(FULL_SYSTEM);
  const found: Candidate[] = [];
  for (const commit of [...THRESHOLDS, ...STAGED]) {
    for (const window of WINDOWS) {
      for (const length of LENGTHS) {
        // Without staging nothing is ever visible: a refresh would have nothing to do.
        for (const refresh of STAGED.includes(commit) ? [NO_REFRESH, REFRESH] : [NO_REFRESH]) {
          const parts = [commit, window, length, refresh];
          const changes: Changes = Object.assign({}, ...parts.map((part) => part.changes));
          const name = parts
            .map(({ label }) => label)
            .filter((label) => label !== '')
            .join(', ');
          if (isSound(base, changes)) found.push({ name, policy: FULL_SYSTEM, changes });
        }
      }
    }
  }
  return found;
}

/** False for a combination that the policy schema calls contradictory. */
function isSound(base: PolicySpecInput, changes: Changes): boolean {
  try {
    overrideSpec(base, changes);
    return true;
  } catch (error) {
    if (error instanceof UsageError) return false;
    throw error;
  }
}

/**
 * The baseline, the full system and the contenders, then `count` candidates drawn from the rest of the space without
 * repetition.
 * @throws UsageError for an unknown baseline
 */
export function candidates(baseline: string, count: number, seed: number): Candidate[] {
  const named = [...new Set([baseline, FULL_SYSTEM])].map((name) => ({
    name: policySpecByName(name).name,
    policy: name,
    changes: {},
  }));
  const space = wholeSpace();
  const contenders = space.filter(({ name }) => CONTENDERS.includes(name));
  const rest = space.filter(({ name }) => !CONTENDERS.includes(name));
  return [...named, ...contenders, ...new Random(seed).sample(rest, Math.min(count, rest.length))];
}
