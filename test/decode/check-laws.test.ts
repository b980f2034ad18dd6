import { beforeAll, describe, expect, it } from 'vitest';
import type { Transition } from '../../src/decode/canvas/types.js';
import {
  type CheckedStep,
  checkLaws,
  describeViolation,
  type Law,
  type LawContext,
} from '../../src/decode/laws/check.js';
import { composePolicy } from '../../src/decode/method/compose.js';
import { decode } from '../../src/decode/method/session.js';
import { policySpecByName } from '../../src/decode/policies.js';
import type { Pass } from '../../src/pass/pass.js';
import { RandomTimer } from './support/random-timer.js';
import { TOY_MASK, ToyEngine } from './support/toy-engine.js';

/** Every checker must fire: a sound record is damaged in one place, and the law that forbids it must be named. */
let context: LawContext;
let sound: readonly CheckedStep[];

beforeAll(async () => {
  const policy = composePolicy({
    ...policySpecByName('llada.cpp'),
    blockLength: 8,
    speculate: { kind: 'drafts', acceptConfidence: 0.5, feedConfidence: 0.5 },
    commit: { kind: 'staged', visible: 0.6, stable: 0.8 },
  });
  const promptIds = [1, 2, 3];
  const engine = new ToyEngine({ seed: 21, sway: 0.3, sharpness: 9 });
  const timer = new RandomTimer(4, 2);
  const { steps } = await decode({ policy, engine, promptIds, genLength: 48, timer });
  sound = steps;
  context = {
    start: policy.start(promptIds, 48, TOY_MASK),
    stepBudget: policy.stepBudget(48),
    givenUp: [],
  };
});

type Edit = (step: CheckedStep) => Partial<CheckedStep>;

/** Damages the first step that `where` accepts. */
function damage(where: (step: CheckedStep) => boolean, edit: Edit): CheckedStep[] {
  const index = sound.findIndex(where);
  expect(index).toBeGreaterThanOrEqual(0);
  return sound.map((step, i) => (i === index ? { ...step, ...edit(step) } : step));
}

function withMain(step: CheckedStep, change: (main: Pass) => Partial<Pass>): Partial<CheckedStep> {
  const [main, ...side] = step.plan.passes;
  return { plan: { ...step.plan, passes: [{ ...main, ...change(main) }, ...side] } };
}

function withTransitions(step: CheckedStep, change: (t: Transition) => Transition): Partial<CheckedStep> {
  return { transitions: step.transitions.map(change) };
}

const lawsOf = (steps: readonly CheckedStep[], changed: Partial<LawContext> = {}): Set<Law> =>
  new Set(checkLaws({ ...context, ...changed }, steps).map(({ law }) => law));

const isDenoise = (step: CheckedStep): boolean => step.plan.passes[0].kind === 'denoise';
const has = (reason: string) => (step: CheckedStep) => step.transitions.some((t) => t.reason === reason);
const hasRefreshOf = (step: CheckedStep): boolean => step.landed.length > 0 && has('refresh')(step);

describe('checkLaws', () => {
  it('accepts a sound record that uses every mechanism', () => {
    expect(checkLaws(context, sound).map(describeViolation)).toEqual([]);
    for (const reason of [
      'commit',
      'promote-best',
      'draft-accepted',
      'stabilise',
      'refresh',
      'window',
      'final',
    ]) {
      expect(sound.some(has(reason)), reason).toBe(true);
    }
  });

  const cases: readonly (readonly [Law, string, () => Set<Law>])[] = [
    [
      'B1',
      'a plan on a block that is not open',
      () => lawsOf(damage(isDenoise, (s) => ({ plan: { ...s.plan, block: s.plan.block + 1 } }))),
    ],
    [
      'B1',
      'a commit in a later block',
      () =>
        lawsOf(
          damage(has('commit'), (s) => ({
            transitions: [...s.transitions, { ...laterCommit(s), reason: 'commit' }],
          })),
        ),
    ],
    [
      'B2',
      'durable KV for a draft',
      () =>
        lawsOf(
          damage(
            (s) => s.draftWrites.some(({ draft }) => draft !== null),
            (s) => {
              const drafted = s.draftWrites.find(({ draft }) => draft !== null)?.position ?? -1;
              const [main] = s.plan.passes;
              const row = main.rows.find(({ position }) => position === drafted);
              const entry = { position: drafted, version: main.version, token: row?.feed ?? 0 };
              return { kvWrites: [...s.kvWrites, { ...entry, residency: 'mutable' as const }] };
            },
          ),
        ),
    ],
    [
      'B3',
      'a draft accepted on a token the fresh logits do not name',
      () =>
        lawsOf(
          damage(has('draft-accepted'), (s) =>
            withTransitions(s, (t) =>
              t.reason === 'draft-accepted' ? { ...t, token: (t.token + 1) % TOY_MASK } : t,
            ),
          ),
        ),
    ],
    [
      'B3',
      'a draft accepted without logits in this step',
      () =>
        lawsOf(
          damage(has('draft-accepted'), (s) => {
            const accepted = s.transitions.find((t) => t.reason === 'draft-accepted')?.position;
            const [first, ...rest] = s.outcomes;
            const rows = first.rows.filter(({ position }) => position !== accepted);
            return { outcomes: [{ ...first, rows }, ...rest] };
          }),
        ),
    ],
    [
      'D1',
      'a stable token that changes',
      () =>
        lawsOf(
          damage(isDenoise, (s) => ({
            transitions: [
              ...s.transitions,
              {
                position: 0,
                from: 'S',
                to: 'S',
                tokenBefore: 1,
                token: 2,
                confidence: 1,
                reason: 'revise',
              },
            ],
          })),
        ),
    ],
    [
      'D1',
      'stable KV that is rewritten',
      () =>
        lawsOf(
          damage(isDenoise, (s) => ({
            kvWrites: [...s.kvWrites, { position: 0, version: 1, token: 1, residency: 'long-term' }],
          })),
        ),
    ],
    [
      'D2',
      'a visible position in the long-term prefix',
      () =>
        lawsOf(
          damage(
            (s) => s.kvWrites.some(({ residency }) => residency === 'mutable'),
            (s) => ({ kvWrites: s.kvWrites.map((write) => ({ ...write, residency: 'long-term' as const })) }),
          ),
        ),
    ],
    [
      'D3',
      'a read of KV computed in the same step',
      () =>
        lawsOf(
          damage(
            (s) => s.plan.passes.length > 1,
            (s) => {
              const { version, rows } = s.plan.passes[1];
              const { position } = rows[0];
              return withMain(s, ({ reads }) => ({
                reads: reads.map((read) => (read.position === position ? { position, version } : read)),
              }));
            },
          ),
        ),
    ],
    [
      'D3',
      'a refresh that lands though it was dropped',
      () =>
        lawsOf(
          damage(hasRefreshOf, (s) => ({
            dropped: s.landed.map((passId) => ({ passId, position: 3, reason: 'superseded' as const })),
          })),
        ),
    ],
    [
      'D3',
      'a refresh that lands before it is launched',
      () => lawsOf(damage(hasRefreshOf, (s) => ({ landed: [...s.landed, '999.1'] }))),
    ],
    [
      'D4',
      'a step without progress',
      () => lawsOf(damage(isDenoise, () => ({ transitions: [], kvWrites: [], draftWrites: [] }))),
    ],
    ['D4', 'a decode cut short', () => lawsOf(sound.slice(0, -3))],
    ['D4', 'more steps than the budget', () => lawsOf(sound, { stepBudget: 3 })],
    ['D5', 'an invisible row without logits', () => lawsOf(damage(isDenoise, (s) => withMain(s, noLogits)))],
    [
      'D7',
      'a visible token that is not reported',
      () =>
        lawsOf(
          damage(has('final'), (s) => ({ transitions: s.transitions.filter((t) => t.reason !== 'final') })),
        ),
    ],
    [
      'trace',
      'a row fed with another token',
      () =>
        lawsOf(
          damage(isDenoise, (s) =>
            withMain(s, ({ rows }) => ({ rows: rows.map((r) => ({ ...r, feed: 77 })) })),
          ),
        ),
    ],
  ];

  it.each(cases)('%s fires on %s', (law, _what, laws) => {
    expect([...laws()]).toContain(law);
  });

  it('D2 fires when long-term KV was made from another token, unless the policy gives that up', async () => {
    const policy = composePolicy({
      ...policySpecByName('mbsd'),
      cache: { kind: 'prefix', seal: 'as-is' },
      blockLength: 8,
    });
    const { steps } = await decode({
      policy,
      engine: new ToyEngine({ seed: 1 }),
      promptIds: [1],
      genLength: 16,
    });
    const start = policy.start([1], 16, TOY_MASK);
    const stepBudget = policy.stepBudget(16);
    expect(checkLaws({ start, stepBudget, givenUp: ['D2-exact-kv'] }, steps)).toEqual([]);
    expect(checkLaws({ start, stepBudget, givenUp: [] }, steps).map(({ law }) => law)).toContain('D2');
  });
});

function noLogits(main: Pass): Partial<Pass> {
  return { logits: main.logits.slice(1) };
}

/** A masked position of a later block, committed. */
function laterCommit(step: CheckedStep): Omit<Transition, 'reason'> {
  const position = context.start.positions.length - 1;
  expect(step.plan.block).toBeLessThan(5);
  return { position, from: 'M', to: 'S', tokenBefore: TOY_MASK, token: 1, confidence: 1 };
}
