import { describe, expect, it } from 'vitest';
import { factsOf, rulesOf } from '../../src/decode/parts.js';
import type { Part } from '../../src/decode/rules/definition.js';
import type { PolicyFacts } from '../../src/decode/rules/facts.js';
import { RULES } from '../../src/decode/rules/registry.js';
import { blockOrigin } from '../../src/decode/rules/settings/blocks.js';
import { guidance } from '../../src/decode/rules/settings/guidance.js';
import { revise } from '../../src/decode/rules/settings/revise.js';
import { stop } from '../../src/decode/rules/settings/stop.js';
import { HOMES, homeOf, type Kind, nameOf } from './support/homes.js';

type Partly = { readonly [K in keyof PolicyFacts]?: PolicyFacts[K] extends object ? object : PolicyFacts[K] };

/** A way in which the rest of a policy may be other than a rule takes for granted. */
const FLIPS: Readonly<Record<string, (facts: PolicyFacts) => Partly>> = {
  'longer blocks': ({ blockLength }) => ({ blockLength: blockLength + 7 }),
  'another origin': ({ blockOrigin }) => ({ blockOrigin: blockOrigin === 'zero' ? 'prompt' : 'zero' }),
  guidance: () => ({ guidance: 1 }),
  'relies on all': () => ({ window: { relies: 'whole canvas' } }),
  'relies on finished': () => ({ window: { relies: 'finished rows' } }),
  'relies on outside': () => ({ window: { relies: 'rows outside the block' } }),
  'every position or not': ({ window }) => ({ window: { everyPosition: !window.everyPosition } }),
  'block alone or not': ({ window }) => ({ window: { blockAlone: !window.blockAlone } }),
  'lookahead or not': ({ window }) => ({ window: { lookahead: !window.lookahead } }),
  'serves all': () => ({ cache: { serves: 'whole canvas' } }),
  'serves finished': () => ({ cache: { serves: 'finished rows' } }),
  'serves outside': () => ({ cache: { serves: 'rows outside the block' } }),
  'stores or not': ({ cache }) => ({ cache: { stores: !cache.stores } }),
  'seal none': () => ({ cache: { seal: null } }),
  'seal pass': () => ({ cache: { seal: 'pass' } }),
  'seal delayed': () => ({ cache: { seal: 'delayed' } }),
  'seal as-is': () => ({ cache: { seal: 'as-is' } }),
  'causal prompt or not': ({ cache }) => ({ cache: { causalPrompt: !cache.causalPrompt } }),
  'stages or not': ({ commit }) => ({
    commit: { stages: commit.stages === null ? { visible: 0.5, stable: 0.9 } : null },
  }),
  'revocable or not': ({ commit }) => ({ commit: { revocable: !commit.revocable } }),
  'bar or schedule': ({ commit }) => ({ commit: { bar: commit.bar === null ? 0.9 : null } }),
  edits: () => ({ commit: { edit: 0 } }),
  'future rows': () => ({ speculate: { futureRows: true } }),
  widens: () => ({ speculate: { widens: true } }),
  'shadows or not': ({ revoke }) => ({ revoke: { shadows: !revoke.shadows } }),
  refreshes: () => ({ refresh: { launches: true } }),
  sweeps: () => ({ final: { sweeps: true } }),
  'random tokens': () => ({ sampling: { random: true } }),
  'random confidence': () => ({ confidence: { random: true } }),
  'no entropy': () => ({ confidence: { entropy: undefined } }),
};

function flipped(facts: PolicyFacts, change: Partly): PolicyFacts {
  const parts = Object.entries(change).map(([key, value]) => {
    const own = facts[key as keyof PolicyFacts];
    return [key, typeof value === 'object' ? { ...(own as object), ...value } : value];
  });
  return { ...facts, ...Object.fromEntries(parts) } as PolicyFacts;
}

const said = (facts: object | null): string =>
  Object.entries(facts ?? {})
    .flatMap(([key, value]) =>
      value === false || value === null || value === undefined
        ? []
        : [value === true ? key : `${key} ${typeof value === 'object' ? JSON.stringify(value) : value}`],
    )
    .join(', ');

describe('rules', () => {
  // Asked in each test: what is asked while a file is read is read with it.
  const rowsOf = () =>
    HOMES.map((home) => {
      const [kind] = home;
      const spec = homeOf(home);
      const part = spec[kind];
      const name = nameOf(part);
      const rule = RULES[kind][name as never] as unknown as {
        facts(spec: unknown): object | null;
        contradicts(spec: unknown, facts: PolicyFacts): readonly string[];
        givesUp(spec: unknown, facts: PolicyFacts): readonly { readonly part: string }[];
        draws(blockLength: number): object;
      };
      const facts = factsOf(spec, rulesOf(spec));
      const refuses = Object.entries(FLIPS).flatMap(([flip, change]) =>
        rule.contradicts(part, flipped(facts, change(facts))).length > 0 ? [flip] : [],
      );
      return {
        kind,
        name,
        sound: rule.contradicts(part, facts),
        facts: said(rule.facts(part)),
        refuses: refuses.join(', '),
        givesUp: rule
          .givesUp(part, facts)
          .map((each) => each.part)
          .join(', '),
      };
    });

  it('have no complaint about the policies that they are at home in', () => {
    expect(rowsOf().filter(({ sound }) => sound.length > 0)).toEqual([]);
  });

  it('are all here', () => {
    const rows = rowsOf();
    const here = (kind: Kind) => new Set(rows.flatMap((row) => (row.kind === kind ? [row.name] : [])));
    for (const kind of Object.keys(RULES) as Kind[])
      expect([...here(kind)].sort(), kind).toEqual(Object.keys(RULES[kind]).sort());
  });

  it('say of themselves, refuse and give up what stands here', () => {
    expect(
      rowsOf().map(({ kind, name, facts, refuses, givesUp }) => [`${kind} ${name}`, facts, refuses, givesUp]),
    ).toEqual(EXPECTED);
  });
});

describe('settings', () => {
  it('refuse what stands here', () => {
    const refuses = <Spec>(part: Part<Spec>, value: Spec, policy: string): string => {
      const home = homeOf(['window', policy]);
      const facts = factsOf(home, rulesOf(home));
      expect(part.contradicts(value, facts), policy).toEqual([]);
      return Object.entries(FLIPS)
        .flatMap(([flip, change]) =>
          part.contradicts(value, flipped(facts, change(facts))).length > 0 ? [flip] : [],
        )
        .join(', ');
    };
    const hidden = { falling: 'sticky', feed: 'mask', rename: true } as const;
    expect(refuses(guidance, 1, 'llada')).toBe(
      'relies on finished, relies on outside, stores or not, widens, shadows or not',
    );
    expect(refuses(guidance, 0, 'llada')).toBe('');
    expect(refuses(blockOrigin, 'zero', 'block-causal')).toBe('block alone or not');
    expect(refuses(blockOrigin, 'prompt', 'block-causal')).toBe('');
    expect(refuses(revise, hidden, 'sts')).toBe('stages or not');
    expect(refuses(revise, { ...hidden, feed: 'token' }, 'sts')).toBe('');
    expect(refuses(stop, 'block', 'llada')).toBe('sweeps');
    expect(refuses(stop, 'never', 'llada')).toBe('');
  });
});

/** A rule; what it says of itself; what else in a policy it refuses; what it gives up. */
const EXPECTED: readonly (readonly string[])[] = [
  ['window canvas', 'relies whole canvas, everyPosition, masks', 'serves finished, serves outside', ''],
  ['window canvas', 'relies whole canvas, masks', 'serves finished, serves outside', ''],
  [
    'window block',
    'relies finished rows, blockAlone, masks',
    'lookahead or not, serves all, serves outside, seal delayed',
    '',
  ],
  ['window per-block', 'relies rows outside the block, masks', 'serves all, serves finished', ''],
  [
    'window block',
    'relies finished rows, masks',
    'lookahead or not, serves all, serves outside, seal delayed',
    '',
  ],
  ['window per-block', 'relies rows outside the block, masks', 'serves all, serves finished', 'B2-masked-kv'],
  ['window sliding', 'relies finished rows, lookahead, masks', 'serves all, serves outside, seal pass', ''],
  [
    'window sliding',
    'relies finished rows, masks',
    'serves all, serves outside, seal pass, stages or not',
    '',
  ],
  [
    'window next',
    'relies finished rows, attends ["causal"]',
    'longer blocks, another origin, seal none, seal pass, seal as-is, bar or schedule, future rows, widens, refreshes, sweeps',
    '',
  ],
  [
    'window self-speculation',
    'reach {"rows":32,"options":{"narrowest":8,"widest":32}}, relies finished rows, attends ["block-causal","causal"], masks',
    'longer blocks, another origin, seal none, seal pass, seal as-is, causal prompt or not, bar or schedule, future rows, widens, refreshes, sweeps, random tokens, random confidence',
    'D4-every-step',
  ],
  [
    'window streaming',
    'relies finished rows, attends ["causal"], masks',
    'longer blocks, another origin, seal none, seal pass, seal as-is, causal prompt or not, bar or schedule, future rows, widens, refreshes, sweeps, no entropy',
    'B1-one-block',
  ],
  ['cache none', 'serves whole canvas', '', ''],
  ['cache prefix', 'serves finished rows, stores, seal pass', '', ''],
  ['cache prefix', 'serves finished rows, stores, seal delayed', '', ''],
  ['cache prefix', 'serves finished rows, stores, seal as-is', '', 'D2-exact-kv'],
  ['cache prefix', 'serves finished rows, stores, seal pass, causalPrompt', '', ''],
  [
    'cache prefix',
    'serves finished rows, stores, seal pass, causalPrompt, opens predicted',
    'guidance, block alone or not, lookahead or not, future rows, widens, shadows or not, refreshes, sweeps',
    '',
  ],
  ['cache per-block', 'serves rows outside the block, stores', 'relies on all, relies on finished', 'D1-kv'],
  ['cache decided', 'serves whole canvas, stores', 'every position or not, stages or not', 'D1-kv'],
  [
    'cache delayed',
    'serves whole canvas, stores',
    'every position or not, stages or not, revocable or not, edits, future rows, widens, shadows or not',
    'D1-kv',
  ],
  ['commit quota', '', '', ''],
  ['commit quota', '', 'relies on finished, relies on outside', 'D4-every-step'],
  ['commit threshold', 'bar 0.9', '', ''],
  ['commit timestep', 'bar 0.9', '', 'D4-every-step'],
  ['commit factor', 'bar 0.9', '', ''],
  ['commit frechet', 'bar 0.9', '', ''],
  ['commit entropy-bound', 'bar 0.9, entropy', 'no entropy', ''],
  ['commit local-leap', 'bar 0.9', '', ''],
  ['commit bounded-rank', 'bar 0.9', '', ''],
  [
    'commit active-blocks',
    'bar 0.9, entropy, ahead',
    'every position or not, future rows, widens, no entropy',
    'B1-one-block',
  ],
  [
    'commit active-blocks',
    'bar 0.9, entropy, ahead',
    'relies on all, relies on outside, block alone or not, seal none, seal delayed, seal as-is, future rows, widens, no entropy',
    'B1-one-block',
  ],
  ['commit sub-blocks', 'bar 0.9', '', ''],
  ['commit klass', 'bar 0.9, drift 2', 'guidance, widens', ''],
  [
    'commit joint-threshold',
    'bar 0.5, edit 0',
    'lookahead or not, serves all, seal delayed, future rows, widens, shadows or not, refreshes, sweeps',
    'B1-edits, D4-every-step',
  ],
  [
    'commit indel',
    'bar 0.5, edit 0, orders {"deleteId":2,"splitId":3}',
    'guidance, lookahead or not, serves all, seal delayed, future rows, widens, shadows or not, refreshes, sweeps',
    'B1-edits, D4-every-step',
  ],
  [
    'commit early-commit',
    'ahead, gap',
    'another origin, every position or not, stores or not, future rows, widens, shadows or not',
    'B1-one-block',
  ],
  ['commit revocable', 'revocable, bar 0.9', 'shadows or not', ''],
  ['commit staged', 'stages {"visible":0.7,"stable":0.9}, bar 0.9', '', ''],
  ['speculate none', '', '', ''],
  ['speculate drafts', 'futureRows', '', ''],
  ['speculate exact', 'widens', 'lookahead or not, stages or not', ''],
  ['speculate exact', 'widens', 'lookahead or not, stages or not', ''],
  ['speculate exact', 'widens', 'lookahead or not, stages or not', ''],
  ['speculate exact', 'widens', 'lookahead or not, stages or not', ''],
  ['speculate exact', 'widens', 'lookahead or not, stages or not', ''],
  ['speculate exact', 'widens', 'lookahead or not, stages or not', ''],
  ['revoke none', '', '', ''],
  [
    'revoke shadow',
    'shadows',
    'relies on finished, relies on outside, stores or not, revocable or not, future rows, widens',
    'D4-every-step',
  ],
  [
    'revoke shadow',
    'shadows',
    'relies on finished, relies on outside, stores or not, revocable or not, future rows, widens',
    'D4-every-step',
  ],
  ['refresh none', '', '', ''],
  ['refresh cpu', 'launches', 'serves all, serves outside, stages or not', ''],
  ['refresh cpu', 'launches', 'serves all, serves outside, stages or not', ''],
  ['final accept', '', '', ''],
  ['final sweep', 'sweeps', 'serves all, serves outside, stages or not', ''],
  ['sampling greedy', '', '', ''],
  ['sampling gumbel', 'random', '', ''],
  ['sampling filtered', 'random', '', ''],
  ['logits all', '', '', ''],
  ['logits active', '', '', ''],
  ['confidence max-softmax', '', '', ''],
  ['confidence margin', '', '', ''],
  ['confidence neg-entropy', '', '', ''],
  ['confidence entropy', '', '', ''],
  ['confidence inverse-perplexity', 'entropy', '', ''],
  ['confidence random', 'random', '', ''],
];
