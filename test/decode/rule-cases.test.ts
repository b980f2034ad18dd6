import { describe, expect, it } from 'vitest';
import type { BlockEdits, Canvas, Draft, Position, Steps } from '../../src/decode/canvas/types.js';
import { composePolicy } from '../../src/decode/method/compose.js';
import { techniquesOf } from '../../src/decode/method/techniques.js';
import { factsOf, rulesOf, techniquesIn } from '../../src/decode/parts.js';
import { policySpecByName } from '../../src/decode/policies.js';
import { scoreRow } from '../../src/decode/rules/score-row.js';
import { reviseRule } from '../../src/decode/rules/settings/revise.js';
import { speculateOn } from '../../src/decode/rules/speculate/draft-states.js';
import {
  DEFAULT_INPUTS,
  lookaheadRule,
  ROW_BYTES,
  TILE_LATENCY,
} from '../../src/decode/rules/window/lookahead.js';
import { type PolicySpecInput, parsePolicySpec } from '../../src/decode/spec.js';
import type { Pass, RowOutcome, StepPlan } from '../../src/pass/pass.js';
import { MASK, Script } from './support/script.js';

const named = (name: string, change: Partial<PolicySpecInput> = {}): PolicySpecInput => ({
  ...policySpecByName(name),
  ...change,
});
const rulesFor = (input: PolicySpecInput) => {
  const spec = parsePolicySpec(input);
  return { rules: rulesOf(spec), facts: factsOf(spec) };
};
const commitOf = (input: PolicySpecInput) => {
  const { rules, facts } = rulesFor(input);
  return rules.commit.rule(facts, DEFAULT_INPUTS);
};
const refused = (input: PolicySpecInput): string => {
  try {
    parsePolicySpec(input);
    return 'not refused';
  } catch (error) {
    return (error as Error).message;
  }
};
const at = (position: number, confidence: number, more: Partial<RowOutcome> = {}): RowOutcome => ({
  ...{ position, token: 4, confidence },
  ...more,
});

describe('commit rules', () => {
  it('active-blocks: the next block opens when the share of this one is decided, and no sooner', () => {
    const change = { blockLength: 4, commit: { kind: 'active-blocks', entropy: 9, opens: 0.5 } } as const;
    const { canvas } = new Script(named('multi-block', change), 1, 8);
    const rule = commitOf(named('multi-block', change));
    const decided = (count: number): Canvas => ({
      ...canvas,
      positions: canvas.positions.map((own, position): Position => {
        const isDecided = position >= 1 && position <= count;
        return isDecided ? { ...own, state: 'S', token: 3 } : own;
      }),
    });
    const open = (count: number): number[] => {
      const rows = Array.from({ length: 8 - count }, (_, index) => at(1 + count + index, 0.5));
      return rule.decide(decided(count), rows, rows).map(({ position }) => position);
    };
    // One of four is a quarter, two are a half.
    expect(open(1)).toEqual([2, 3, 4]);
    expect(open(2)).toEqual([3, 4, 5, 6, 7, 8]);
  });

  it('revocable: of more than it may commit the surest, wherever they stand', () => {
    const { canvas } = new Script(named('wino', { blockLength: 7 }), 1, 7);
    const rows = [0.7, 0.65, 0.95, 0.8, 0.9, 0.75, 0.85].map((confidence, index) =>
      at(1 + index, confidence),
    );
    const chosen = commitOf(named('wino', { blockLength: 7 })).decide(canvas, rows, rows);
    // Five of seven.
    expect(chosen.map(({ position }) => position).sort()).toEqual([3, 4, 5, 6, 7]);
  });

  it('early-commit: a row without a gap says nothing of the answer', () => {
    const commit = { kind: 'early-commit', answer: 0, length: 3, early: 2 } as const;
    const spec = named('prophet', { blockLength: 4, commit });
    const { canvas } = new Script(spec, 1, 16);
    const rows = [at(1, 0.5, { gap: 2 }), at(2, 0.5), at(3, 0.5, { gap: 2 }), at(4, 0.5, { gap: 9 })];
    expect(commitOf(spec).decide(canvas, rows, rows)).toHaveLength(4);
    const without = rows.map(({ gap: _, ...row }) => row);
    expect(commitOf(spec).decide(canvas, without, without)).toHaveLength(1);
  });

  it.each([
    [
      'prophet',
      { commit: { kind: 'early-commit', stepsPerBlock: 9 } },
      /stepsPerBlock at most blockLength \(8\)/,
    ],
    [
      'llada',
      { commit: { kind: 'quota', stepsPerBlock: 9 } },
      /stepsPerBlock \(9\) exceeds blockLength \(8\)/,
    ],
    ['dream', { commit: { kind: 'timestep', steps: 9 } }, /steps \(9\) exceeds blockLength \(8\)/],
  ] as const)('%s has no more steps than a block has positions', (name, change, message) => {
    const spec = { ...named(name, { blockLength: 8 }), ...change };
    expect(refused(spec)).toMatch(message);
    const most = Object.fromEntries(
      Object.entries(spec.commit).map(([key, value]) => [key, value === 9 ? 8 : value]),
    );
    expect(refused({ ...spec, commit: most as never })).toBe('not refused');
  });
});

describe('tokens of indel', () => {
  const [DELETE, SPLIT] = [2, 3];
  const spec = (commit: object = {}, change: Partial<PolicySpecInput> = {}): PolicySpecInput => ({
    ...named('joint-threshold', { blockLength: 4, ...change }),
    commit: { kind: 'indel', deleteId: DELETE, splitId: SPLIT, tau: 0.5, edits: 1, ...commit },
  });
  /** A block of four behind a prompt of four, and what was done in it. */
  const block = (tokens: readonly number[], edited: Partial<BlockEdits> | null): Canvas => {
    const { canvas } = new Script(spec(), 4, 4);
    return {
      ...canvas,
      positions: canvas.positions.map((own, position): Position => {
        const token = tokens[position - 4];
        return token === undefined || token === MASK ? own : { ...own, state: 'V', token, confidence: 0.5 };
      }),
      edited: edited === null ? null : { original: [], seen: [], tried: {}, filled: 0, passes: 1, ...edited },
    };
  };
  const rearranged = (canvas: Canvas, rows: readonly RowOutcome[]) => {
    const rule = commitOf(spec());
    const { verdicts, edited } = rule.rearrange?.(canvas, rows) ?? { verdicts: [], edited: null };
    return { written: verdicts.map(({ position, token }) => `${position}:${token}`), edited };
  };

  it('are kept in a state that is new, however the rows would differ', () => {
    const canvas = block([4, 5, 6, 7], { seen: ['9,9,9,9'] });
    const rows = [at(4, 0.9, { token: 8, instead: 1 }), at(5, 0.2, { token: 9, instead: 1 })];
    expect(rearranged(canvas, rows).written).toEqual(['4:8', '5:9']);
    // One that was there: the least sure leaves it.
    expect(rearranged(block([4, 5, 6, 7], { seen: ['4,5,6,7'] }), rows).written).toEqual(['4:8', '5:1']);
  });

  it('are what the rows say in the last pass, where a state may come back', () => {
    const last = block([4, 5, 6, 7], { seen: ['4,5,6,7'], filled: 1 });
    const rows = [at(4, 0.9, { token: 8, instead: 1 }), at(5, 0.2, { token: 9, instead: 1 })];
    expect(rearranged(last, rows)).toEqual({ written: ['4:8', '5:9'], edited: null });
  });

  it('fill every mask in the last pass, sure or not, original or not', () => {
    const canvas = block([4, MASK, MASK, 7], { original: [5, 6], passes: 5 });
    const rows = [at(5, 0.9), at(6, 0.1)];
    expect(rearranged(canvas, rows)).toEqual({ written: ['5:4', '6:4'], edited: null });
    // Before it, one more than there are new ones.
    const before = block([4, MASK, MASK, 7], { original: [5, 6], passes: 4 });
    expect(rearranged(before, rows).written).toEqual(['5:4']);
  });

  it('fill original masks above tau, or the surest, and remember those that are left', () => {
    const canvas = block([MASK, MASK, MASK, MASK], null);
    const rows = [at(4, 0.1), at(5, 0.4), at(6, 0.2), at(7, 0.4)];
    const first = rearranged(canvas, rows);
    expect([first.written, first.edited?.original]).toEqual([['5:4'], [4, 6, 7]]);
    const two = rearranged(canvas, [at(4, 0.1), at(5, 0.6), at(6, 0.2), at(7, 0.7)]);
    expect([two.written, two.edited?.original]).toEqual([
      ['5:4', '7:4'],
      [4, 6],
    ]);
  });

  it('begin with the masks of the block: the token that opens it is none', () => {
    const opens = spec(
      {},
      { blockLength: 2, cache: { kind: 'prefix', prompt: 'block-causal', opens: 'predicted' } },
    );
    const script = new Script(opens, 2, 4);
    script.step({ 1: [5, 0.9] });
    expect(script.states).toBe('V IV M M');
    // Nothing is sure enough, so the first mask is filled all the same; the open token changes.
    script.step({ 2: [6, 0.9], 3: [7, 0.9] });
    expect(script.canvas.edited).toMatchObject({ original: [], filled: 0, passes: 1 });
    script.step({ 2: [8, 0.9], 3: [7, 0.9] });
    expect(script.canvas.edited).toMatchObject({ filled: 1, passes: 2 });
  });
});

describe('a visible token that is scored again', () => {
  const commit = { kind: 'staged', visible: 0.5, stable: 0.75 } as const;
  /** What is decided of visible tokens 3 at positions 1 to 6, the first block ending with 3. */
  const decided = (
    change: Partial<NonNullable<PolicySpecInput['revise']>>,
    said: readonly (readonly [position: number, token: number, confidence: number])[],
    { promoted = 9, block = 0, policy = 'sts' } = {},
  ): string[] => {
    const input = named(policy, {
      blockLength: 3,
      commit,
      revise: { falling: 'demote', rename: false, ...change },
    });
    const { canvas } = new Script(input, 1, 6);
    const { facts } = rulesFor(input);
    const positions = canvas.positions.map(
      (own, position): Position => (position > 0 ? { ...own, state: 'V', token: 3, confidence: 0.6 } : own),
    );
    const scores = said.map(([position, token, confidence]) => at(position, confidence, { token }));
    return reviseRule(parsePolicySpec(input).revise, facts)
      .decide({ ...canvas, positions, block }, scores, promoted)
      .map(
        ({ position, state, token, reason }) =>
          `${position}${state}${token === MASK ? '_' : token} ${reason}`,
      );
  };

  it('falls back below theta_visible, the least sure first, of the same the first, and fewer than are promoted', () => {
    const three = [
      [1, 3, 0.3],
      [2, 3, 0.2],
      [3, 3, 0.4],
    ] as const;
    expect(decided({}, three, { promoted: 9 })).toEqual(['2IV_ revise', '1IV_ revise', '3IV_ revise']);
    expect(decided({}, three, { promoted: 3 })).toEqual(['2IV_ revise', '1IV_ revise']);
    expect(decided({}, three, { promoted: 1 })).toEqual([]);
    expect(decided({}, three, { promoted: 0 })).toEqual([]);
    const same = three.map(([position]) => [position, 3, 0.25] as const);
    expect(decided({}, same, { promoted: 2 })).toEqual(['1IV_ revise']);
    expect(decided({ falling: 'sticky' }, three)).toEqual(['1V3 revise', '2V3 revise', '3V3 revise']);
  });

  it('falls in the open block alone, and not at theta_visible', () => {
    expect(decided({}, [[4, 3, 0.25]])).toEqual(['4V3 revise']);
    expect(decided({}, [[1, 3, 0.5]])).toEqual(['1V3 revise']);
    // It may not be renamed, and what it was told is sure.
    expect(decided({}, [[1, 9, 0.5]])).toEqual([]);
    expect(decided({}, [[1, 9, 0.9]])).toEqual([]);
    expect(decided({}, [[1, 9, 0.4375]])).toEqual(['1IV_ revise']);
  });

  it('settles at theta_stable and keeps its place below', () => {
    expect(decided({}, [[1, 3, 0.75]])).toEqual(['1S3 stabilise']);
    expect(decided({}, [[1, 3, 0.6875]])).toEqual(['1V3 revise']);
  });

  it('is renamed in the open block, and in another only where nothing is cached', () => {
    const said = [
      [1, 9, 0.5],
      [2, 9, 0.75],
      [4, 9, 0.5],
      [5, 9, 0.75],
    ] as const;
    expect(decided({ rename: true }, said)).toEqual(['1V9 revise', '2S9 stabilise']);
    expect(decided({ rename: true }, said, { block: 1 })).toEqual(['4V9 revise', '5S9 stabilise']);
    const all = ['1V9 revise', '2S9 stabilise', '4V9 revise', '5S9 stabilise'];
    expect(decided({ rename: true }, said, { policy: 'llada' })).toEqual(all);
    expect(decided({ rename: false }, said, { policy: 'llada' })).toEqual([]);
  });

  it('of a block that is edited gives way to another that exceeds the threshold', () => {
    const input = named('joint-threshold', {
      blockLength: 3,
      commit: { kind: 'joint-threshold', edit: 0.5 },
    });
    const { canvas } = new Script(input, 1, 3);
    const { facts } = rulesFor(input);
    const positions = canvas.positions.map((own): Position => ({ ...own, state: 'V', token: 3 }));
    const scores = [at(1, 0.5), at(2, 0.5625), at(3, 0.9, { token: 3 })];
    const found = reviseRule(parsePolicySpec(input).revise, facts).decide(
      { ...canvas, positions },
      scores,
      0,
    );
    expect(found).toEqual([{ ...scores[1], state: 'V', reason: 'revise' }]);
  });
});

describe('rows that nobody carries any more', () => {
  it('are sealed after the last block, before a sweep reads their entries', () => {
    const change = { blockLength: 4, final: { kind: 'sweep', passes: 1 } } as const;
    const { canvas } = new Script(named('llada.cpp', change), 1, 8);
    const { rules, facts } = rulesFor(named('llada.cpp', change));
    const { sealRows } = rules.cache.rule(facts, DEFAULT_INPUTS);
    const kv = { position: 0, version: 1, token: 3, residency: 'mutable' } as const;
    const decided = (block: number): Canvas => ({
      ...canvas,
      block,
      positions: canvas.positions.map((own, position) => ({
        ...own,
        state: position === 8 ? ('V' as const) : ('S' as const),
        kv: position === 3 || position === 8 ? null : { ...kv, position },
      })),
    });
    expect(facts.cache.seal).toBe('delayed');
    expect(sealRows(decided(2))).toEqual([3, 8]);
    expect(sealRows(decided(1))).toEqual([]);
  });
});

describe('a refresh on the CPU', () => {
  const entry = (position: number, version: number, token = 3) => ({
    kv: { position, version, token, residency: 'mutable' as const },
  });
  const refreshOf = (change: object = {}) => {
    const { rules, facts } = rulesFor(
      named('llada.cpp', { refresh: { kind: 'cpu', batch: 9, perStep: 9, maxInFlight: 9, ...change } }),
    );
    return rules.refresh.rule(facts, DEFAULT_INPUTS);
  };
  const { canvas: blank } = new Script(named('llada.cpp', { blockLength: 8 }), 1, 8);
  const canvasWith = (of: readonly Partial<Position>[]): Canvas => ({
    ...blank,
    positions: blank.positions.map((own, position) => ({ ...own, ...of[position] })),
  });

  it('is of visible positions with KV, and of stable ones whose KV is stale, after them', () => {
    const canvas = canvasWith([
      { ...entry(0, 1), state: 'S' },
      { ...entry(1, 9), state: 'V' },
      { ...entry(2, 2), state: 'S', stale: true },
      { state: 'V', kv: null },
      { ...entry(4, 3), state: 'M', stale: true },
      { ...entry(5, 4), state: 'V' },
      { ...entry(6, 1), state: 'S', stale: true },
      { state: 'S', stale: true, kv: null },
    ]);
    const order = (change: object) =>
      refreshOf({ batch: 1, ...change })
        .launch(canvas, new Set())
        .flat();
    // The oldest entry first; what may still change before what only follows.
    expect(order({})).toEqual([5, 1, 6, 2]);
    expect(order({ perStep: 3 })).toEqual([5, 1, 6]);
    expect(refreshOf({ batch: 3 }).launch(canvas, new Set())).toEqual([[1, 5, 6], [2]]);
    expect(refreshOf().launch(canvas, new Set([5, 6]))).toEqual([[1, 2]]);
  });

  it('of the same age is of the first', () => {
    const canvas = canvasWith([
      {},
      { ...entry(1, 5), state: 'V' },
      { ...entry(2, 5), state: 'V' },
      { ...entry(3, 5), state: 'V' },
    ]);
    expect(refreshOf({ batch: 1, perStep: 2 }).launch(canvas, new Set())).toEqual([[1], [2]]);
  });

  it('feeds the mask only to a visible position whose entry stands for its token', () => {
    const { feed } = refreshOf({ feed: 'mask', order: 'lowest-confidence' });
    const position = { state: 'V', token: 3, confidence: 0, draft: null, ...entry(1, 1) } as const;
    expect(feed(position, MASK)).toBe(MASK);
    expect(feed({ ...position, ...entry(1, 1, 4) }, MASK)).toBe(3);
    expect(feed({ ...position, state: 'S' }, MASK)).toBe(3);
    expect(feed({ ...position, kv: null }, MASK)).toBe(3);
    expect(refreshOf().feed(position, MASK)).toBe(3);
  });

  it('reads what its scope says: of the stable prefix, entries that are long-term', () => {
    const { readable } = refreshOf({ scope: 'stable-prefix' });
    const position = { state: 'V', token: 3, confidence: 0, draft: null, ...entry(1, 1) } as const;
    expect(readable(position)).toBe(false);
    expect(readable({ ...position, kv: null })).toBe(false);
    expect(readable({ ...position, kv: { ...position.kv, residency: 'long-term' } })).toBe(true);
    expect(refreshOf().readable(position)).toBe(true);
  });

  it('that the step waits for has no age', () => {
    const late = (maxAgeSteps: number | null) =>
      refused(named('llada.cpp', { refresh: { kind: 'cpu', late: 'block', maxAgeSteps } }));
    expect(late(null)).toBe('not refused');
    expect(late(0)).toMatch(/late block leaves nothing late/);
  });
});

describe('a text that ends', () => {
  it('drops the refreshes that are under way, and reports what is visible', () => {
    const script = new Script(
      {
        ...{
          name: 'ends',
          blockLength: 2,
          window: { kind: 'block' },
          cache: { kind: 'prefix' },
          stop: 'block',
        },
        commit: { kind: 'staged', visible: 0.5, stable: 0.75 },
        refresh: { kind: 'cpu', batch: 1, perStep: 2, maxInFlight: 2 },
      },
      1,
      8,
      {},
      { endIds: [7] },
    );
    script.step();
    script.step({ 1: [4, 0.6], 2: [5, 0.6] });
    script.step();
    // Refreshes of 1 and 2 begin, one of them lands, and the block ends with an end token.
    const [first, second] = [script.side(1, { 1: [4, 0.6] }), script.side(2, {})];
    const { transitions, dropped, canvas, liveKv } = script.step({ 3: [7, 0.9], 4: [6, 0.6] }, [first]);
    expect(script.plan).toBeNull();
    expect(dropped).toEqual([{ passId: second.passId, position: 2, reason: 'finished' }]);
    expect(canvas.inFlight).toEqual([]);
    expect(liveKv).toEqual(
      canvas.positions.flatMap(({ kv }, position) =>
        kv === null ? [] : [{ position, version: kv.version }],
      ),
    );
    const of = (reason: string) =>
      transitions.filter((t) => t.reason === reason).map(({ position, token }) => [position, token]);
    expect(of('stop')).toEqual([5, 6, 7, 8].map((position) => [position, 7]));
    expect(of('final')).toEqual([
      [1, 4],
      [2, 5],
      [4, 6],
    ]);
    expect(canvas).toMatchObject({ block: 4, window: { start: 9, end: 9 } });
    expect(script.states).toBe('V V S V S S S S');
  });
});

describe('the time of a pass', () => {
  it('is that of the paper at 32, 64 and 128 rows within 3 %, and one step for each 32 rows', () => {
    // Table 2: 478.1, 861.6, 1531.6 ms.
    for (const [rows, measured] of [
      [32, 478.1],
      [64, 861.6],
      [128, 1531.6],
    ] as const)
      expect(Math.abs(TILE_LATENCY(rows) / measured - 1)).toBeLessThan(0.03);
    expect(TILE_LATENCY(1)).toBeCloseTo(492, 9);
    expect(TILE_LATENCY(32)).toBeCloseTo(492, 9);
    expect(TILE_LATENCY(33)).toBeCloseTo(840.9, 9);
    // 32 layers of K and V, 4096 wide, two bytes each: half a MiB.
    expect(ROW_BYTES).toBe(2 ** 19);
  });

  const lookahead = {
    trigger: 1,
    inclusive: true,
    allowanceRatio: 1,
    maxRows: 99,
    memoryBudgetMib: null,
    buckets: 'smooth',
  } as const;
  /** Time grows with the square of the tiles. */
  const squares = (rows: number): number => 100 * Math.ceil(rows / 32) ** 2;
  const appended = (window: number, change: object, masked = 1): number => {
    const { canvas } = new Script(named('mbsd', { blockLength: window }), 1, 4 * window);
    const few: Canvas = {
      ...canvas,
      positions: canvas.positions.map(
        (own, position): Position =>
          position > 0 && position <= window - masked ? { ...own, state: 'S', token: 4 } : own,
      ),
      window: { start: 1, end: 1 + window },
    };
    return lookaheadRule({ ...lookahead, ...change }, { latencyTable: squares, rowBytes: 0 })(few).length;
  };

  it('lies on a straight line between multiples of 32, and is that of 32 below', () => {
    // Of 64 rows 400, of 96 rows 900: 400 + 15.625 a row.
    expect(appended(64, { allowanceRatio: 0.25 })).toBe(6);
    expect(appended(64, { allowanceRatio: 1.25 })).toBe(32);
    // Of 48 rows 250, half way; 300 more than 200 at 64, 550 of them at 73.6.
    expect(appended(48, { allowanceRatio: 1 })).toBe(22);
    // Of 8 rows 100, as of 32; from there 9.375 a row.
    expect(appended(8, { allowanceRatio: 0, maxRows: 99 })).toBe(24);
    expect(appended(16, { allowanceRatio: 0.09 })).toBe(16);
    expect(appended(16, { allowanceRatio: 0.1 })).toBe(17);
  });

  it('is extended for masks alone: none is left in a finished block', () => {
    expect(appended(32, { trigger: 4 }, 0)).toBe(0);
    expect(appended(32, { trigger: 4 }, 1)).toBeGreaterThan(0);
  });
});

describe('self-speculation', () => {
  /** Widths of the drafts when so many of each are right. */
  const widths = (narrowest: number, widest: number, right: readonly number[]): number[] => {
    const window = { kind: 'self-speculation', narrowest, widest } as const;
    const script = new Script(named('nemotron-self-speculation', { window }), 3, 60);
    script.step({ 2: [1, 1] });
    return right.map((count) => {
      const drafted = script.rows.length;
      script.step(Object.fromEntries(script.rows.map((row) => [Number(row.split(':')[0]), [1, 1] as const])));
      const verified = script.rows.map((row) => Number(row.split(':')[0]));
      script.step(
        Object.fromEntries(verified.map((position, at) => [position, [at < count ? 1 : 2, 1] as const])),
      );
      return drafted;
    });
  };

  it('doubles its width when all drafts were right, halves it when at most half were, within its limits', () => {
    // Of a width of 4 three are drafts, of 8 seven.
    expect(widths(4, 8, [3, 7, 7])).toEqual([4, 8, 8]);
    expect(widths(2, 8, [1, 3, 3, 0])).toEqual([2, 4, 8, 4]);
    expect(widths(2, 8, [1, 3, 4, 0])).toEqual([2, 4, 8, 8]);
    expect(widths(3, 20, [2, 5, 0, 0, 0])).toEqual([3, 6, 12, 6, 3]);
    // Two of four drafts are half of them.
    expect(widths(5, 20, [2, 4])).toEqual([5, 5]);
    expect(widths(2, 5, [1, 3, 2, 4])).toEqual([2, 4, 5, 2]);
  });
});

describe('a sliding window', () => {
  it('stays at a visible token of its block where it waits for stable ones, and passes it elsewhere', () => {
    const slid = (past: 'visible' | 'stable'): number => {
      const spec = named('mbsd-sts', {
        ...{ blockLength: 3, window: { kind: 'sliding', past }, speculate: { kind: 'none' } },
        commit: { kind: 'staged', visible: 0.5, stable: 0.9 },
      });
      const script = new Script(spec, 1, 6);
      script.step();
      script.step({ 1: [4, 0.6], 2: [5, 0.1], 3: [6, 0.1] });
      // Fed its token once, its KV stands for it.
      script.step({ 1: [4, 0.6], 2: [5, 0.1], 3: [6, 0.6] });
      return script.canvas.window.start;
    };
    expect([slid('visible'), slid('stable')]).toEqual([2, 1]);
  });
});

describe('drafted states', () => {
  const options = { tile: 64, extraTiles: 0, drafts: 'chain', joinCertain: true, slack: 0 } as const;
  const policy = composePolicy({ ...named('block-kv'), blockLength: 2, speculate: { kind: 'none' } });

  /** How many states are taken when the method, asked again, wants its second pass changed. */
  const taken = (change: (pass: Pass) => Partial<Pass>): number => {
    let planning = true;
    const method: Steps = {
      plan(canvas): StepPlan | null {
        const plan = policy.plan(canvas);
        if (plan === null || planning || plan.passes[0].kind === 'prefill') return plan;
        return { ...plan, passes: [{ ...plan.passes[0], ...change(plan.passes[0]) }] };
      },
      apply: policy.apply,
    };
    const steps = speculateOn(method, options, null);
    const canvas = policy.start([1, 2, 3], 4, 9);
    const plan = steps.plan(canvas) as StepPlan;
    planning = false;
    const [main] = plan.passes;
    const rows = main.logits.map((row) => ({ position: main.rows[row].position, token: 1, confidence: 0.5 }));
    return steps.apply(canvas, plan, { passId: main.id, rows }, []).accepted.length;
  };

  it('are taken while they are what the method asks for, row by row and read by read', () => {
    expect(taken(() => ({}))).toBe(2);
    expect(taken(() => ({ id: 'another', version: 99 }))).toBe(2);
    const others: Readonly<Record<string, (pass: Pass) => Partial<Pass>>> = {
      kind: () => ({ kind: 'seal' }),
      'a row less': ({ rows }) => ({ rows: rows.slice(0, -1) }),
      'a row more': ({ rows }) => ({ rows: [...rows, rows[0]] }),
      'another position': ({ rows }) => ({
        rows: rows.map((row, i) => (i === 1 ? { ...row, position: 9 } : row)),
      }),
      'another feed': ({ rows }) => ({ rows: rows.map((row, i) => (i === 1 ? { ...row, feed: 5 } : row)) }),
      'a read less': ({ reads }) => ({ reads: reads.slice(0, -1) }),
      'a read more': ({ reads }) => ({ reads: [...reads, reads[0]] }),
      'a read of another position': ({ reads }) => ({
        reads: reads.map((ref, i) => (i === 2 ? { ...ref, position: 9 } : ref)),
      }),
      'a read of another version': ({ reads }) => ({
        reads: reads.map((ref, i) => (i === 2 ? { ...ref, version: 7 } : ref)),
      }),
      'logits less': ({ logits }) => ({ logits: logits.slice(0, -1) }),
      'logits more': ({ logits }) => ({ logits: [...logits, 0] }),
      'logits of another row': ({ logits }) => ({ logits: logits.map((row, i) => (i === 1 ? 0 : row)) }),
    };
    for (const [what, change] of Object.entries(others)) expect(taken(change), what).toBe(1);
  });
});

describe('the number of masks that are guessed to pass', () => {
  it('is that of the drafts that reach tau less the slack', () => {
    const guessed = (confidence: number) => {
      const spec = named('exact-speculation-threshold', {
        ...{ blockLength: 3, commit: { kind: 'threshold', tau: 0.5 } },
        speculate: { kind: 'exact', tile: 6, slack: 0.25, joinCertain: false },
      });
      const script = new Script(spec, 6, 6);
      script.step();
      script.step({ 6: [4, confidence], 7: [5, confidence], 8: [7, 0.5] });
      return script.rows.join(' ');
    };
    // Both: then the block is sealed. One: then the other is still a mask.
    expect(guessed(0.25)).toBe('6:_ 7:_ 8:7 6:4 7:5 8:7');
    expect(guessed(0.1875)).toBe('6:_ 7:_ 8:7 6:4 7:_ 8:7');
  });
});

describe('what a technique is without', () => {
  const without = (input: PolicySpecInput) =>
    Object.fromEntries(
      techniquesOf(parsePolicySpec(input)).map(({ technique, lossless, without: left }) => [
        technique,
        { lossless, left },
      ]),
    );

  it('multi-block speculation: of a sliding window alone, and of drafts on a window that leaves nothing out', () => {
    const slides = without(named('mbsd', { window: { kind: 'sliding' }, speculate: { kind: 'none' } }));
    expect(slides['multi-block speculation'].left).toMatchObject({
      window: { kind: 'block' },
      cache: { seal: 'pass' },
    });
    const whole = without(named('llada', { speculate: { kind: 'drafts' } }));
    expect(whole['multi-block speculation'].left).toMatchObject({
      window: { kind: 'canvas' },
      speculate: { kind: 'none' },
    });
    const ahead = without(
      named('block-kv', { window: { kind: 'block', lookahead: {} }, speculate: { kind: 'drafts' } }),
    );
    expect(ahead['multi-block speculation'].left).toMatchObject({
      ...{ window: { kind: 'block' }, cache: { kind: 'prefix', seal: 'pass' }, speculate: { kind: 'none' } },
    });
  });

  it('staging: no stages, nothing revised, and a window that waits for none', () => {
    const spec = named('mbsd-sts', {
      window: { kind: 'sliding', past: 'stable' },
      revise: { falling: 'demote' },
    });
    const { left, lossless } = without(spec)['staged token stabilization'];
    expect(lossless).toBe(false);
    expect(left).toMatchObject({
      commit: { kind: 'quota' },
      revise: { falling: 'sticky' },
      window: { past: 'visible' },
    });
    expect(without(named('sts'))['staged token stabilization'].left.window).toEqual({
      kind: 'block',
      extent: 'block',
    });
  });

  it('exact speculation and selective logits: nothing else, and no token', () => {
    const exact = without(named('exact-speculation', { logits: 'active' }));
    expect(exact['exact speculation']).toMatchObject({
      lossless: true,
      left: { speculate: { kind: 'none' }, logits: 'all' },
    });
    expect(exact['selective logits skipping']).toMatchObject({
      lossless: true,
      left: { logits: 'all', speculate: { kind: 'exact' } },
    });
  });

  it.each(['nemotron-self-speculation', 'wedlm'])('%s: next-token decoding', (name) => {
    const spec = parsePolicySpec(named(name));
    const [own] = techniquesIn(spec).filter(
      ({ name: technique }) => technique === 'self-speculation' || technique === 'streaming',
    );
    expect(own.without(spec)).toEqual({ window: { kind: 'next' } });
    expect(own.lossless).toBe(name === 'wedlm' ? undefined : 'self-speculation');
  });
});

describe('an entropy', () => {
  it('of a vocabulary of one is none, and of two is a share of ln 2', () => {
    expect(scoreRow(Float32Array.of(3), 0, 1, 9, 'entropy').confidence).toBe(0);
    expect(scoreRow(Float32Array.of(3), 0, 1, 9, 'neg-entropy').confidence).toBe(1);
    expect(scoreRow(Float32Array.of(1, 1), 0, 2, 9, 'entropy').confidence).toBeCloseTo(1, 12);
  });
});

describe('a draft of exact speculation', () => {
  it('is remembered of every mask, and stands in the way of none', () => {
    const { rules, facts } = rulesFor(named('exact-speculation'));
    const rule = rules.speculate.rule(facts, DEFAULT_INPUTS);
    const draft: Draft = { token: 5, confidence: 1, step: 1 };
    const position: Position = { state: 'IV', token: MASK, confidence: 0, kv: null, draft };
    expect(rule.next(position, at(1, 0.5), true, 3)).toEqual({ token: 4, confidence: 0.5, step: 3 });
    expect([
      rule.feed(position),
      rule.accepts(draft, at(1, 1)),
      rule.carries(draft),
      rule.withholds(draft, at(1, 1)),
    ]).toEqual([...['mask', false, false, false]]);
  });
});
