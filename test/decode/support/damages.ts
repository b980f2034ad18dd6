import type fc from 'fast-check';
import { blockOf } from '../../../src/decode/canvas/geometry.js';
import type { Position, Transition, TransitionReason } from '../../../src/decode/canvas/types.js';
import type { CheckedStep, Clause, LawContext } from '../../../src/decode/laws/law.js';
import { contradictions } from '../../../src/decode/parts.js';
import type { LawPart } from '../../../src/decode/rules/law-parts.js';
import type { PolicySpec } from '../../../src/decode/spec.js';
import { groupsOf } from '../../../src/pass/groups.js';
import type { Pass, PassRow, RowOutcome } from '../../../src/pass/pass.js';
import { anySpec, slidingSpecs, specsWith } from './arbitraries.js';
import type { Recorded } from './record.js';
import { TOY_MASK } from './toy-engine.js';

/** A record that is wrong in one place. */
export interface Damaged {
  readonly steps: readonly CheckedStep[];
  readonly context: LawContext;
  /** Step at which the checker must notice. */
  readonly at: number;
}

export interface Damage {
  readonly what: string;
  /** Policies whose records it can be done to. */
  readonly specs: fc.Arbitrary<PolicySpec>;
  /** Every way to do it to this record. */
  readonly ways: (record: Recorded) => readonly Damaged[];
}

type Site = CheckedStep & {
  readonly main: Pass;
  readonly side: readonly Pass[];
  readonly positions: readonly Position[];
  readonly record: Recorded;
  readonly index: number;
};
type Edit = (site: Site) => readonly Partial<CheckedStep>[];

/** Steps with row groups that were taken one after another are cut up before they are checked: left alone here. */
function inSteps(what: string, specs: fc.Arbitrary<PolicySpec>, edit: Edit, unless?: LawPart): Damage {
  const ways = (record: Recorded): Damaged[] => {
    if (unless !== undefined && record.context.givenUp.includes(unless)) return [];
    return record.steps.flatMap((step, index) => {
      if (step.accepted.length > 0) return [];
      const [main, ...side] = step.plan.passes;
      const { positions } = record.before[index];
      const changes = edit({ ...step, main, side, positions, record, index });
      return changes.map((change) => ({
        steps: record.steps.map((own, at) => (at === index ? { ...own, ...change } : own)),
        context: record.context,
        at: index,
      }));
    });
  };
  return { what, specs, ways };
}

const isMasked = ({ state }: Pick<Position, 'state'>): boolean => state === 'M' || state === 'IV';
const other = (token: number): number => (token + 1) % TOY_MASK;
const where = (positions: readonly Position[], wanted: (p: Position, at: number) => boolean): number[] =>
  positions.flatMap((position, at) => (wanted(position, at) ? [at] : []));

const withMain = ({ plan, main }: Site, change: Partial<Pass>): Partial<CheckedStep> => ({
  plan: { ...plan, passes: [{ ...main, ...change }, ...plan.passes.slice(1)] },
});

/** Own rows of the main pass: not its shadows, not the rows that guide it. */
const ownRows = ({ rows, visibility }: Pass): number =>
  typeof visibility === 'string' ? rows.length : visibility.groups[0].rows;

/** Feeds one own row of the main pass at a time something else. */
const refed = (site: Site, wanted: (p: Position) => boolean, feed: (p: Position) => number) =>
  site.main.rows.slice(0, ownRows(site.main)).flatMap(({ position }, row) => {
    if (!wanted(site.positions[position])) return [];
    const rows = site.main.rows.map(
      (own, at): PassRow => (at === row ? { ...own, feed: feed(site.positions[position]) } : own),
    );
    return [withMain(site, { rows })];
  });

/** Changes the transitions of one reason, one at a time; `null` leaves it out. */
const changed = (
  { transitions }: Site,
  reasons: readonly TransitionReason[],
  change: (t: Transition) => Partial<Transition> | null,
): Partial<CheckedStep>[] =>
  transitions.flatMap((t, at) => {
    if (!reasons.includes(t.reason)) return [];
    const now = change(t);
    return [
      {
        transitions: transitions.flatMap((own, index) =>
          index === at ? (now === null ? [] : [{ ...own, ...now }]) : [own],
        ),
      },
    ];
  });

/** Changes what the main pass said about positions that changed for one reason, one at a time. */
const resaid = (
  { transitions, outcomes, main: pass }: Site,
  reasons: readonly TransitionReason[],
  change: (row: RowOutcome) => RowOutcome | null,
): Partial<CheckedStep>[] => {
  const [main, ...side] = outcomes;
  const touched = transitions.filter((t) => reasons.includes(t.reason)).map(({ position }) => position);
  // Behind them come the rows that guide, and shadows.
  const own = pass.logits.filter((row) => row < ownRows(pass)).length;
  return main.rows.slice(0, own).flatMap((row, at) => {
    if (!touched.includes(row.position)) return [];
    const now = change(row);
    const rows = main.rows.flatMap((own, index) => (index === at ? (now ?? []) : own));
    return [{ outcomes: [{ ...main, rows }, ...side] }];
  });
};

/** Changes the outcome of the main pass, where it has one. */
const reworded = (
  { outcomes: [main, ...side] }: Site,
  change: (rows: readonly RowOutcome[]) => readonly RowOutcome[],
): Partial<CheckedStep>[] =>
  main.rows.length === 0 ? [] : [{ outcomes: [{ ...main, rows: change(main.rows) }, ...side] }];

/** Leaves out the logits of one invisible row at a time. */
const unscored = (site: Site): Partial<CheckedStep>[] => {
  if (site.main.kind !== 'denoise') return [];
  const asked = site.main.logits.filter(
    (row) => row < ownRows(site.main) && site.positions[site.main.rows[row].position].state === 'IV',
  );
  return asked.map((row) => withMain(site, { logits: site.main.logits.filter((own) => own !== row) }));
};

const added = (site: Site, t: Omit<Transition, 'from' | 'tokenBefore'>): Partial<CheckedStep> => {
  const { state, token } = site.positions[t.position];
  return { transitions: [...site.transitions, { ...t, from: state, tokenBefore: token }] };
};

const rewritten = (
  { kvWrites }: Site,
  change: (write: CheckedStep['kvWrites'][number]) => Partial<CheckedStep['kvWrites'][number]> | null,
): Partial<CheckedStep>[] =>
  kvWrites.flatMap((write, at) => {
    const now = change(write);
    return now === null
      ? []
      : [{ kvWrites: kvWrites.map((own, i) => (i === at ? { ...own, ...now } : own)) }];
  });

/** One more refresh beside the main pass. */
const refreshOf = ({ plan, outcomes }: Site, position: number, feed: number): Partial<CheckedStep> => {
  const pass: Pass = {
    id: '999.9',
    kind: 'refresh',
    lane: 'side',
    version: 99_999,
    rows: [{ position, feed }],
    reads: [],
    visibility: 'all',
    logits: [0],
  };
  const outcome = { passId: pass.id, rows: [{ position, token: feed, confidence: 1 }] };
  return { plan: { ...plan, passes: [...plan.passes, pass] }, outcomes: [...outcomes, outcome] };
};

const drafting = specsWith({ kind: 'speculate', name: 'drafts' }).map(
  (spec): PolicySpec =>
    spec.speculate.kind === 'drafts'
      ? {
          ...spec,
          speculate: { ...spec.speculate, acceptConfidence: 0.1, requireEqual: false, entry: 'evaluate' },
        }
      : spec,
);
const carrying = drafting.map(
  (spec): PolicySpec =>
    spec.speculate.kind === 'drafts' ? { ...spec, speculate: { ...spec.speculate, entry: 'carry' } } : spec,
);
const refreshing = specsWith({ kind: 'refresh', name: 'cpu' });
const sweeping = specsWith({ kind: 'final', name: 'sweep' });
const staged = specsWith({ kind: 'commit', name: 'staged' });
const rearranged = specsWith({ kind: 'commit', name: 'indel' });
const shadowed = specsWith({ kind: 'revoke', name: 'shadow' });
const cached = specsWith({ kind: 'cache', name: 'prefix' });
const guided = specsWith({ kind: 'window', name: 'canvas' }, { kind: 'cache', name: 'none' }).map(
  (spec): PolicySpec => {
    const own: PolicySpec = { ...spec, guidance: 1.5, speculate: { kind: 'none' } };
    return contradictions(own).length === 0 ? own : spec;
  },
);
const joining = refreshing.map(
  (spec): PolicySpec =>
    spec.refresh.kind === 'cpu'
      ? { ...spec, refresh: { ...spec.refresh, late: 'block', maxAgeSteps: null } }
      : spec,
);
const speculating = specsWith({ kind: 'speculate', name: 'exact' });
const stopped = anySpec.map((spec): PolicySpec => ({ ...spec, stop: 'block', final: { kind: 'accept' } }));
const GIVES: readonly TransitionReason[] = ['commit', 'promote-best'];

/** Changes a step whose row groups were steps of the decode. */
const together = (what: string, change: (step: CheckedStep) => Partial<CheckedStep>): Damage => ({
  what,
  specs: speculating,
  ways: ({ steps, context }) =>
    steps.flatMap((step, at) =>
      step.accepted.length === 0
        ? []
        : [{ at, context, steps: steps.with(at, { ...step, ...change(step) }) }],
    ),
});

/** For every clause of a law, ways to break it. */
export const DAMAGES: Record<Clause, readonly Damage[]> = {
  'plan-block': [
    inSteps('a plan on the next block', anySpec, ({ plan }) => [
      { plan: { ...plan, block: plan.block + 1 } },
    ]),
    inSteps('a plan on the first block while a later one is open', anySpec, ({ plan }) =>
      plan.block > 0 ? [{ plan: { ...plan, block: 0 } }] : [],
    ),
  ],
  'block-order': [
    inSteps(
      'a commit in a later block',
      anySpec,
      (site) =>
        where(
          site.positions,
          (p, at) => isMasked(p) && blockOf(site.record.context.start, at) > site.plan.block,
        )
          .filter((position) => !site.transitions.some((t) => t.position === position))
          .map((position) => added(site, { position, to: 'S', token: 1, confidence: 1, reason: 'commit' })),
      'B1-one-block',
    ),
    inSteps('a visible token of an earlier block is taken back', staged, (site) =>
      where(
        site.positions,
        (p, at) => p.state === 'V' && blockOf(site.record.context.start, at) < site.plan.block,
      )
        .filter((position) => !site.transitions.some((t) => t.position === position))
        .map((position) =>
          added(site, { position, to: 'IV', token: TOY_MASK, confidence: 0, reason: 'revise' }),
        ),
    ),
  ],
  'masked-read': [
    inSteps(
      'KV of a mask is read',
      anySpec,
      (site) =>
        where(site.positions, isMasked).map((position) =>
          withMain(site, { reads: [...site.main.reads, { position, version: 0 }] }),
        ),
      'B2-masked-kv',
    ),
  ],
  'masked-kv': [
    inSteps(
      'KV of a mask becomes durable',
      anySpec,
      (site) =>
        site.main.rows
          .slice(0, ownRows(site.main))
          .filter(({ position }) => isMasked(site.positions[position]))
          .filter(({ position }) => !site.transitions.some((t) => t.position === position))
          .map(({ position, feed }) => ({
            kvWrites: [
              ...site.kvWrites,
              { position, version: site.main.version, token: feed, residency: 'mutable' as const },
            ],
          })),
      'B2-masked-kv',
    ),
  ],
  'adapter-kv': [
    inSteps('a pass whose KV is kept is said to have the adapter for drafts', anySpec, (site) =>
      site.kvWrites.some(({ version }) => version === site.main.version)
        ? [withMain(site, { adapter: true })]
        : [],
    ),
  ],
  'decided-draft': [
    inSteps('a decided position gets a draft', anySpec, (site) =>
      where(site.positions, (p) => p.state === 'S').map((position) => ({
        draftWrites: [
          ...site.draftWrites,
          { position, draft: { token: 1, confidence: 1, step: site.index } },
        ],
      })),
    ),
    inSteps('a position keeps its draft when it is decided', anySpec, (site) =>
      site.transitions
        .filter((t) => GIVES.includes(t.reason))
        .map(({ position }) => ({
          draftWrites: [
            ...site.draftWrites,
            { position, draft: { token: 1, confidence: 1, step: site.index } },
          ],
        })),
    ),
  ],
  'draft-unscored': [
    inSteps('no logits for the draft', drafting, (site) => resaid(site, ['draft-accepted'], () => null)),
  ],
  'draft-token': [
    inSteps('the logits name another token', drafting, (site) =>
      resaid(site, ['draft-accepted'], (row) => ({ ...row, token: other(row.token) })),
    ),
  ],
  'draft-confidence': [
    inSteps('the draft keeps its old confidence', drafting, (site) =>
      resaid(site, ['draft-accepted'], (row) => ({ ...row, confidence: row.confidence / 2 })),
    ),
  ],
  'draft-unknown': [
    {
      what: 'there was no draft',
      specs: drafting,
      ways: ({ steps, context }) =>
        steps.flatMap(({ transitions }, at) =>
          transitions
            .filter((t) => t.reason === 'draft-accepted')
            .map(({ position }) => ({
              at,
              context,
              steps: steps.map((step, index) =>
                index > at
                  ? step
                  : { ...step, draftWrites: step.draftWrites.filter((write) => write.position !== position) },
              ),
            })),
        ),
    },
  ],
  'carried-unknown': [
    inSteps('another token', carrying, (site) =>
      changed(site, ['draft-carried'], ({ token }) => ({ token: other(token) })),
    ),
    inSteps('another confidence', carrying, (site) =>
      changed(site, ['draft-carried'], ({ confidence }) => ({ confidence: confidence / 2 })),
    ),
  ],
  'carried-stale': [
    {
      what: 'a policy that must not carry',
      specs: carrying,
      ways: ({ steps, context }) =>
        steps.flatMap(({ transitions }, at) =>
          transitions.some((t) => t.reason === 'draft-carried')
            ? [{ at, steps, context: { ...context, givenUp: [] } }]
            : [],
        ),
    },
  ],
  'beyond-attention': [
    {
      what: 'a model that was trained left to right',
      specs: anySpec,
      ways: ({ steps, context }) =>
        steps.flatMap(({ plan, accepted }, at) =>
          accepted.length === 0 && plan.passes[0].visibility === 'all' && plan.passes[0].rows.length > 1
            ? [{ at, steps, context: { ...context, trained: { attention: 'causal' } } }]
            : [],
        ),
    },
    {
      what: 'a stream whose masks come before its tokens',
      specs: specsWith({ kind: 'window', name: 'streaming' }),
      ways: ({ steps, context }) =>
        steps.flatMap((step, at) => {
          const [main] = step.plan.passes;
          const turned = { ...main, rows: [...main.rows].reverse() };
          return main.visibility === 'ordered' && main.rows.length > 1
            ? [{ at, context, steps: steps.with(at, { ...step, plan: { ...step.plan, passes: [turned] } }) }]
            : [];
        }),
    },
  ],
  'stable-change': [
    inSteps('another token', anySpec, (site) =>
      where(site.positions, (p) => p.state === 'S').map((position) =>
        added(site, {
          position,
          to: 'S',
          token: other(site.positions[position].token),
          confidence: 1,
          reason: 'revise',
        }),
      ),
    ),
    inSteps('back to visible', anySpec, (site) =>
      where(site.positions, (p) => p.state === 'S').map((position) =>
        added(site, {
          position,
          to: 'V',
          token: site.positions[position].token,
          confidence: 1,
          reason: 'revise',
        }),
      ),
    ),
  ],
  'stable-kv': [
    inSteps(
      'KV written again',
      cached,
      (site) =>
        site.positions.flatMap(({ state, kv }) =>
          state === 'S' && kv !== null ? [{ kvWrites: [...site.kvWrites, kv] }] : [],
        ),
      'D1-kv',
    ),
  ],
  'stable-fed': [
    inSteps('the mask', anySpec, (site) =>
      refed(
        site,
        ({ state }) => state === 'S',
        () => TOY_MASK,
      ),
    ),
    inSteps('another token', anySpec, (site) =>
      refed(
        site,
        ({ state }) => state === 'S',
        ({ token }) => other(token),
      ),
    ),
    inSteps('the mask in a refresh', refreshing, (site) =>
      where(site.positions, (p) => p.state === 'S').map((position) => refreshOf(site, position, TOY_MASK)),
    ),
  ],
  'refresh-target': [
    inSteps(
      'a stable position beside the main pass',
      cached,
      (site) =>
        where(site.positions, (p) => p.state === 'S' && p.kv !== null).map((position) =>
          refreshOf(site, position, site.positions[position].token),
        ),
      'D1-kv',
    ),
    inSteps('a mask beside the main pass', cached, (site) =>
      where(site.positions, isMasked).map((position) => refreshOf(site, position, TOY_MASK)),
    ),
    inSteps('a visible position that is not cached', staged, (site) =>
      where(site.positions, (p) => p.state === 'V' && p.kv === null).map((position) =>
        refreshOf(site, position, site.positions[position].token),
      ),
    ),
    inSteps('a stable position in the sweep', sweeping, (site) => {
      if (site.main.kind !== 'refresh') return [];
      return where(site.positions, (p) => p.state === 'S').map((position) =>
        withMain(site, {
          rows: [...site.main.rows, { position, feed: site.positions[position].token }],
          logits: [...site.main.logits, site.main.rows.length],
        }),
      );
    }),
  ],
  'long-term-state': [
    inSteps('a visible position enters the long-term prefix', staged, (site) =>
      rewritten(site, ({ residency }) => (residency === 'mutable' ? { residency: 'long-term' } : null)),
    ),
  ],
  'mutable-state': [
    inSteps('KV of a stable position stays mutable', cached, (site) =>
      rewritten(site, ({ residency }) => (residency === 'long-term' ? { residency: 'mutable' } : null)),
    ),
  ],
  'long-term-token': [
    inSteps(
      'KV of another token',
      cached,
      (site) =>
        rewritten(site, ({ residency, token }) =>
          residency === 'long-term' ? { token: other(token) } : null,
        ),
      'D2-exact-kv',
    ),
  ],
  'snapshot-read': [
    inSteps('another version is read', cached, (site) =>
      site.main.reads.map((_, at) =>
        withMain(site, {
          reads: site.main.reads.map((read, i) =>
            i === at ? { ...read, version: read.version + 1000 } : read,
          ),
        }),
      ),
    ),
    inSteps('what is computed in the same step is read', refreshing, (site) =>
      site.side.flatMap(({ rows, version }) =>
        rows.map(({ position }) =>
          withMain(site, {
            reads: [...site.main.reads.filter((r) => r.position !== position), { position, version }],
          }),
        ),
      ),
    ),
  ],
  'own-read': [
    inSteps('a row that is also computed', anySpec, (site) =>
      site.main.rows.slice(0, ownRows(site.main)).map(({ position }) =>
        withMain(site, {
          reads: [...site.main.reads, { position, version: site.positions[position].kv?.version ?? 0 }],
        }),
      ),
    ),
  ],
  'landing-unknown': [
    inSteps('a pass that was never launched', anySpec, ({ landed }) => [{ landed: [...landed, '999.1'] }]),
    inSteps('a pass that has landed before', refreshing, ({ landed, record, index }) =>
      record.steps.slice(0, index).flatMap((step) => step.landed.map((id) => ({ landed: [...landed, id] }))),
    ),
  ],
  'drop-unknown': (['superseded', 'late', 'finished'] as const).map((reason) =>
    inSteps(`a pass that was never launched is ${reason}`, anySpec, ({ dropped }) => [
      { dropped: [...dropped, { passId: '999.1', position: 0, reason }] },
    ]),
  ),
  'landing-half': [
    inSteps('one position takes nothing', refreshing, (site) =>
      site.transitions
        .filter((t) => t.reason === 'refresh' && site.main.kind !== 'refresh')
        .map(({ position }) => ({
          transitions: site.transitions.filter((t) => t.position !== position),
          kvWrites: site.kvWrites.filter((write) => write.position !== position),
        })),
    ),
    inSteps(
      'one position takes what another pass computed, and is promoted by the main pass',
      refreshing,
      (site) =>
        site.transitions
          .filter((t) => t.reason === 'refresh' && site.main.kind !== 'refresh')
          .map(({ position }) => ({
            transitions: site.transitions.map((t) =>
              t.position === position ? { ...t, reason: 'commit' as const } : t,
            ),
            kvWrites: site.kvWrites.map((write) =>
              write.position === position ? { ...write, version: site.main.version } : write,
            ),
          })),
    ),
  ],
  'landing-none': [
    inSteps('nothing landed', staged, (site) =>
      where(site.positions, (p) => p.state === 'V' && p.kv !== null)
        .filter((position) => !site.transitions.some((t) => t.position === position))
        .map((position) => {
          const { token, confidence } = site.positions[position];
          return added(site, { position, to: 'V', token, confidence, reason: 'refresh' });
        }),
    ),
    inSteps('what landed was dropped', refreshing, (site) => {
      const landed = site.transitions.filter((t) => t.reason === 'refresh');
      if (landed.length === 0 || site.main.kind === 'refresh') return [];
      const dropped = site.landed.map((passId) => ({ passId, position: 0, reason: 'superseded' as const }));
      return [{ dropped: [...site.dropped, ...dropped] }];
    }),
  ],
  'kv-without-landing': [
    inSteps('KV of a refresh that is still under way', refreshing, (site) =>
      site.side
        .filter(({ id }) => !site.landed.includes(id))
        .map(({ version, rows: [{ position, feed }] }) => ({
          kvWrites: [...site.kvWrites, { position, version, token: feed, residency: 'mutable' as const }],
        })),
    ),
  ],
  progress: [
    inSteps(
      'nothing happens',
      anySpec,
      ({ main }) => (main.kind === 'refresh' ? [] : [{ transitions: [], kvWrites: [], draftWrites: [] }]),
      'D4-every-step',
    ),
    inSteps(
      'as many tokens are taken back as given',
      staged,
      (site) => {
        const given = site.transitions.filter(
          (t) => isMasked({ state: t.from }) && !isMasked({ state: t.to }),
        );
        if (given.length === 0 || site.kvWrites.length > 0 || site.main.kind !== 'denoise') return [];
        const back = given.map(
          (t): Transition => ({
            ...t,
            from: t.to,
            to: 'IV',
            tokenBefore: t.token,
            token: TOY_MASK,
            reason: 'revise',
          }),
        );
        return [{ transitions: [...site.transitions, ...back] }];
      },
      'D4-every-step',
    ),
  ],
  'mask-token': [
    inSteps('the mask is committed', anySpec, (site) => changed(site, GIVES, () => ({ token: TOY_MASK }))),
  ],
  budget: [
    {
      what: 'a smaller budget',
      specs: anySpec,
      ways: ({ steps, context }) => [
        { steps, at: steps.length - 1, context: { ...context, stepBudget: steps.length - 1 } },
      ],
    },
  ],
  'mask-left': [
    {
      what: 'the end is cut off',
      specs: anySpec,
      ways: ({ steps, context, before }) =>
        steps.flatMap((_, at) =>
          at > 0 && before[at].positions.some(isMasked)
            ? [{ steps: steps.slice(0, at), at: at - 1, context }]
            : [],
        ),
    },
  ],
  'invisible-unscored': [
    inSteps('one row less', anySpec, unscored),
    // The rows that guide it have logits at the same positions.
    inSteps('one row less of a guided pass', guided, (site) =>
      site.main.guidance === undefined ? [] : unscored(site),
    ),
  ],
  'visible-unreported': [inSteps('no report', staged, (site) => changed(site, ['final'], () => null))],
  'step-number': [
    inSteps('another number', anySpec, ({ plan }) => [{ plan: { ...plan, step: plan.step + 1 } }]),
  ],
  'main-pass': [
    inSteps('none', anySpec, ({ plan }) => [{ plan: { ...plan, passes: [] } }]),
    inSteps('two', anySpec, ({ plan }) => [{ plan: { ...plan, passes: [...plan.passes, plan.passes[0]] } }]),
    inSteps('in another place', refreshing, ({ plan, side }) =>
      side.length === 0 ? [] : [{ plan: { ...plan, passes: [...side, plan.passes[0]] } }],
    ),
  ],
  'outcome-missing': [
    inSteps('none', anySpec, () => [{ outcomes: [] }]),
    inSteps('of another pass', anySpec, ({ outcomes }) => [
      { outcomes: outcomes.map((outcome) => ({ ...outcome, passId: `${outcome.passId}x` })) },
    ]),
  ],
  'outcome-rows': [
    inSteps('of a row less', anySpec, (site) => reworded(site, (rows) => rows.slice(0, -1))),
    inSteps('of a row more', anySpec, (site) => reworded(site, (rows) => [...rows, ...rows.slice(-1)])),
    inSteps('of another row', anySpec, (site) =>
      reworded(site, (rows) => rows.map((row, at) => (at === 0 ? { ...row, position: 99_999 } : row))),
    ),
    {
      what: 'of a row less, in a draft state that was not taken',
      specs: speculating,
      ways: ({ steps, context }) =>
        steps.flatMap((step, at) => {
          const groups = groupsOf(step.plan.passes[0]);
          const taken = step.accepted.some(({ group }) => group === groups.length - 1);
          if (step.accepted.length === 0 || taken) return [];
          const [{ passId, rows }] = step.outcomes;
          const short = { ...step, outcomes: [{ passId, rows: rows.slice(0, -1) }] };
          return [{ at, context, steps: steps.with(at, short) }];
        }),
    },
  ],
  'accepted-unknown': [
    together('a group that is not there', ({ accepted }) => ({
      accepted: [...accepted, { group: 999, transitions: 0 }],
    })),
  ],
  'accepted-beside': [
    together('something landed', () => ({ landed: ['999.1'] })),
    together('something was dropped', () => ({
      dropped: [{ passId: '999.1', position: 0, reason: 'superseded' }],
    })),
    together('a refresh beside', ({ plan }) => ({
      plan: { ...plan, passes: [...plan.passes, { ...plan.passes[0], id: '999.9', lane: 'side' }] },
    })),
  ],
  'version-twice': [
    inSteps('the version of an earlier pass', anySpec, (site) =>
      site.record.steps
        .slice(0, site.index)
        .filter(({ accepted }) => accepted.length === 0)
        .map(({ plan }) => withMain(site, { version: plan.passes[0].version })),
    ),
  ],
  'visible-fed': [
    inSteps('another token', staged, (site) =>
      refed(
        site,
        ({ state }) => state === 'V',
        ({ token }) => other(token),
      ),
    ),
    inSteps(
      'the mask',
      staged,
      (site) =>
        refed(
          site,
          ({ state }) => state === 'V',
          () => TOY_MASK,
        ),
      'V-context',
    ),
  ],
  'undecided-fed': [
    inSteps('a token that is no draft', anySpec, (site) =>
      refed(site, isMasked, ({ draft }) => other(draft?.token ?? 0)),
    ),
  ],
  'guidance-copy': [
    inSteps('another feed', guided, (site) => {
      if (site.main.guidance === undefined) return [];
      const rows = site.main.rows.map((row, at) =>
        at === site.main.rows.length - 1 ? { ...row, feed: 1 } : row,
      );
      return rows.at(-1)?.feed === site.main.rows.at(-1)?.feed ? [] : [withMain(site, { rows })];
    }),
    inSteps('the prompt unmasked', guided, (site) => {
      if (site.main.guidance === undefined) return [];
      const half = site.main.rows.length / 2;
      return [withMain(site, { rows: [...site.main.rows.slice(0, half), ...site.main.rows.slice(0, half)] })];
    }),
    inSteps('a row short', guided, (site) =>
      site.main.guidance === undefined ? [] : [withMain(site, { rows: site.main.rows.slice(0, -1) })],
    ),
  ],
  'shadow-fed': [
    inSteps('a token', shadowed, (site) => {
      const own = ownRows(site.main);
      return site.main.rows.flatMap((_, at) =>
        at < own
          ? []
          : [
              withMain(site, {
                rows: site.main.rows.map((row, i) => (i === at ? { ...row, feed: 1 } : row)),
              }),
            ],
      );
    }),
  ],
  'transition-from': [
    inSteps('another state', anySpec, (site) => changed(site, GIVES, () => ({ from: 'V' }))),
    inSteps('another token', anySpec, (site) => changed(site, GIVES, () => ({ tokenBefore: 1 }))),
    inSteps('no such position', anySpec, (site) => changed(site, GIVES, () => ({ position: 99_999 }))),
  ],
  'committed-unscored': [
    inSteps('another token', anySpec, (site) =>
      resaid(site, GIVES, (row) => ({ ...row, token: other(row.token) })),
    ),
    inSteps('another confidence', anySpec, (site) =>
      resaid(site, GIVES, (row) => ({ ...row, confidence: row.confidence + 1 })),
    ),
    inSteps('no logits', staged, (site) =>
      site.main.guidance === undefined ? resaid(site, GIVES, () => null) : [],
    ),
  ],
  'revised-unscored': [
    inSteps('a visible token changes by itself', staged, (site) =>
      where(site.positions, (p) => p.state === 'V')
        .filter((position) => !site.transitions.some((t) => t.position === position))
        .map((position) =>
          added(site, {
            position,
            to: 'V',
            token: other(site.positions[position].token),
            confidence: 0.123,
            reason: 'revise',
          }),
        ),
    ),
  ],
  'refreshed-unscored': [
    inSteps('another token', refreshing, (site) =>
      changed(site, ['refresh'], ({ tokenBefore }) => ({ token: other(tokenBefore), confidence: 0.123 })),
    ),
    inSteps('stable without the logits', slidingSpecs, (site) =>
      changed(site, ['refresh'], () => ({ to: 'S', confidence: 0.123 })),
    ),
  ],
  'shifted-unheld': [
    inSteps('a token moves in that the block did not hold', rearranged, (site) =>
      changed(site, ['shift'], () => ({ to: 'V', token: 99 })),
    ),
    inSteps(
      'a commit is said to be a move',
      anySpec,
      (site) => changed(site, ['commit'], () => ({ reason: 'shift' })),
      'B1-edits',
    ),
  ],
  'revoked-unscored': [
    inSteps('a shadow row that was asked about another token', shadowed, (site) =>
      site.transitions.some((t) => t.reason === 'revoke')
        ? [
            withMain(site, {
              rows: site.main.rows.map((row) =>
                row.asks === undefined ? row : { ...row, asks: other(row.asks) },
              ),
            }),
          ]
        : [],
    ),
    inSteps('a shadow row that was asked about none', shadowed, (site) =>
      site.transitions.some((t) => t.reason === 'revoke')
        ? [withMain(site, { rows: site.main.rows.map(({ asks: _, ...row }) => row) })]
        : [],
    ),
    inSteps('another probability', shadowed, (site) =>
      changed(site, ['revoke'], ({ confidence }) => ({ confidence: confidence / 2 })),
    ),
    inSteps('no shadow row', shadowed, ({ outcomes, transitions }) =>
      transitions.some((t) => t.reason === 'revoke')
        ? [{ outcomes: outcomes.map((o) => ({ ...o, rows: o.rows.map(({ asked: _, ...row }) => row) })) }]
        : [],
    ),
  ],
  'stop-without-end': [
    inSteps('the rest gets another token', stopped, (site) =>
      changed(site, ['stop'], ({ token }) => ({ token: other(token) })),
    ),
    inSteps('a step is said to end the text', anySpec, (site) =>
      changed(site, GIVES, () => ({ reason: 'stop' })),
    ),
  ],
  bookkeeping: [
    inSteps('the window gives a token', slidingSpecs, (site) =>
      changed(site, ['window'], () => ({ to: 'V', token: 1 })),
    ),
    inSteps('the report changes a token', staged, (site) =>
      changed(site, ['final'], ({ token }) => ({ token: other(token) })),
    ),
  ],
  'kv-uncomputed': [
    inSteps('a version nobody computed', cached, (site) =>
      rewritten(site, ({ version }) => ({ version: version + 1000 })),
    ),
    inSteps('a version of a pass without that position', cached, (site) =>
      site.kvWrites.flatMap((_, at) => {
        // An entry of a position that the main pass did not compute.
        const computed = new Set(site.main.rows.map(({ position }) => position));
        const absent = site.positions.findIndex((_, position) => !computed.has(position));
        if (absent < 0) return [];
        const kvWrites = site.kvWrites.map((own, index) =>
          index === at ? { ...own, position: absent, version: site.main.version } : own,
        );
        return [{ kvWrites }];
      }),
    ),
    inSteps('another token than the row was fed', cached, (site) =>
      rewritten(site, ({ token }) => ({ token: other(token) })),
    ),
  ],
  'joined-landing': [
    inSteps('the refresh is still under way', joining, ({ plan }) =>
      plan.joins === true ? [{ landed: [], transitions: [], kvWrites: [], dropped: [] }] : [],
    ),
  ],
};
