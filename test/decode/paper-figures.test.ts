import { describe, expect, it } from 'vitest';
import type { PolicySpecInput } from '../../src/decode/spec.js';
import { Script } from './support/script.js';

/**
 * The worked examples of arXiv:2606.13740, as far as its text and figures fix them. Confidences that the figures do
 * not print are ours; every event asserted here is theirs.
 */
const [A, B, C, D, E, F] = [10, 11, 12, 13, 14, 15];

const staged58: PolicySpecInput = {
  name: 'figure 9',
  blockLength: 4,
  window: { kind: 'sliding' },
  cache: { kind: 'prefix', seal: 'delayed' },
  commit: { kind: 'staged', visible: 0.5, stable: 0.8 },
  refresh: { kind: 'cpu' },
};

describe('Fig. 9: staged stabilization at 0.5 / 0.8', () => {
  it('follows the worked example', () => {
    const run = new Script(staged58, 1, 8);
    run.step();
    // t=1: exactly 0.8 is stable, an IV jumps to S; exactly 0.5 is visible.
    run.step({ 1: [A, 0.8], 2: [B, 0.5], 3: [C, 0.49] });
    expect(run.states).toBe('S V IV IV M M M M');
    // t=2: a second token e becomes visible.
    run.step({ 2: [B, 0.6], 3: [E, 0.7] });
    // 1 and 2 were fed the tokens they keep: the window slides by two.
    expect(run.states).toBe('S V V IV IV IV M M');
    // t=3: e becomes f while V.
    const third = run.step({ 3: [F, 0.75], 4: [D, 0.4] });
    expect(third.transitions).toContainEqual({
      position: 3,
      from: 'V',
      to: 'V',
      tokenBefore: E,
      token: F,
      confidence: 0.75,
      reason: 'revise',
    });
    // Nothing reached 0.5: the best mask of the block was promoted, so the block is complete with V left in it.
    expect(third.transitions.find(({ position }) => position === 4)).toMatchObject({
      reason: 'promote-best',
      to: 'V',
    });
    expect(run.canvas.block).toBe(1);
  });

  it('jumps from IV to S at t=4 and advances the block with one V left, which the CPU lifts to S', () => {
    const run = new Script(staged58, 1, 8);
    run.step();
    run.step({ 1: [A, 0.9], 2: [B, 0.55], 3: [C, 0.9], 4: [D, 0.2] });
    // 1 was fed the mask, so its KV is not that of A yet: the window stays.
    expect(run.canvas.window).toEqual({ start: 1, end: 5 });
    run.step({ 2: [B, 0.6], 4: [D, 0.85] });
    expect(run.states).toBe('S V S S IV IV IV M');
    expect(run.canvas.block).toBe(1);
    expect(run.canvas.window).toEqual({ start: 4, end: 8 });
    expect(run.canvas.positions[2].kv).toMatchObject({ token: B, residency: 'mutable' });
    // The V left behind is refreshed beside the next pass, on the prefix alone.
    const [main, side] = run.plan?.passes ?? [];
    expect(main.reads.map(({ position }) => position)).toEqual([0, 1, 2, 3]);
    expect(side).toMatchObject({ lane: 'side', kind: 'refresh', rows: [{ position: 2, feed: B }] });
    expect(side.reads.map(({ position }) => position)).toEqual([0, 1, 3]);
    const before = run.canvas.positions[2].kv;
    const result = run.step({ 5: [A, 0.9] }, [run.side(1, { 2: [B, 0.8] })]);
    expect(result.transitions).toContainEqual(
      expect.objectContaining({ position: 2, from: 'V', to: 'S', reason: 'refresh' }),
    );
    expect(run.canvas.positions[2].kv).toMatchObject({ version: side.version, residency: 'long-term' });
    expect(side.version).toBeGreaterThan(before?.version ?? 0);
  });

  it('a refresh that finds another token changes it, keeps V, and is repeated with the new token', () => {
    const run = new Script(staged58, 1, 8);
    run.step();
    run.step({ 1: [A, 0.9], 2: [B, 0.55], 3: [C, 0.9], 4: [D, 0.9] });
    run.step({ 2: [B, 0.6] });
    run.step({}, [run.side(1, { 2: [E, 0.95] })]);
    expect(run.canvas.positions[2]).toMatchObject({
      state: 'V',
      token: E,
      kv: { token: B, residency: 'mutable' },
    });
    expect(run.plan?.passes[1].rows).toEqual([{ position: 2, feed: E }]);
    run.step({}, [run.side(1, { 2: [E, 0.95] })]);
    expect(run.canvas.positions[2]).toMatchObject({
      state: 'S',
      token: E,
      kv: { token: E, residency: 'long-term' },
    });
  });
});

describe('Fig. 7a: continuous sliding and drafts', () => {
  const spec: PolicySpecInput = {
    name: 'figure 7a',
    blockLength: 4,
    window: { kind: 'sliding' },
    cache: { kind: 'prefix', seal: 'delayed' },
    commit: { kind: 'threshold', tau: 0.9 },
    speculate: { kind: 'drafts' },
  };

  it('moves the left edge past the committed run, size unchanged, into the next block', () => {
    const run = new Script(spec, 2, 8);
    run.step();
    expect(run.rows).toEqual(['2:_', '3:_', '4:_', '5:_']);
    run.step({ 2: [A, 0.95], 3: [B, 0.95], 5: [D, 0.95] });
    expect(run.rows).toEqual([`2:${A}`, `3:${B}`, '4:_', `5:${D}`]);
    run.step();
    // Position 4 was promoted as the best one; 2 and 3 have KV of their own tokens and leave.
    expect(run.canvas.window).toEqual({ start: 4, end: 8 });
    expect(run.canvas.positions[2].kv).toMatchObject({ token: A, residency: 'long-term' });
    expect(run.canvas.positions[5].kv).toBeNull();
  });

  it('keeps drafts without KV, then accepts or overwrites them on fresh logits', () => {
    const run = new Script(spec, 2, 8);
    run.step();
    run.step({ 2: [A, 0.95], 3: [B, 0.95], 4: [C, 0.2] });
    run.step({ 4: [C, 0.2], 5: [D, 0.1] });
    // Block 0 still misses position 5; 6 and 7 belong to block 1.
    expect(run.canvas.window).toEqual({ start: 4, end: 8 });
    const drafting = run.step({ 5: [D, 0.3], 6: [E, 0.95], 7: [F, 0.6] });
    expect(run.canvas.block).toBe(1);
    expect(run.canvas.positions[6]).toMatchObject({
      state: 'IV',
      kv: null,
      draft: { token: E, confidence: 0.95 },
    });
    expect(drafting.liveKv.map(({ position }) => position)).not.toContain(6);
    // The sure draft is fed as its token, the unsure one as the mask.
    expect(run.rows.slice(-3)).toEqual([`6:${E}`, '7:_', '8:_']);
    const judged = run.step({ 6: [E, 0.92], 7: [A, 0.5] });
    expect(judged.transitions).toContainEqual(
      expect.objectContaining({ position: 6, to: 'S', token: E, reason: 'draft-accepted' }),
    );
    expect(run.canvas.positions[7]).toMatchObject({ state: 'IV', draft: null });
  });
});

describe('readings the figures leave open', () => {
  const spec = (change: Partial<PolicySpecInput>): PolicySpecInput => ({
    name: 'open reading',
    blockLength: 4,
    window: { kind: 'sliding' },
    cache: { kind: 'prefix', seal: 'delayed' },
    commit: { kind: 'staged', visible: 0.5, stable: 0.8 },
    ...change,
  });

  it.each([
    ['visible', 3],
    ['stable', 2],
  ] as const)('the window slides past what is %s', (past, start) => {
    const run = new Script(spec({ window: { kind: 'sliding', past } }), 1, 8);
    run.step();
    run.step({ 1: [A, 0.9], 2: [B, 0.6] });
    run.step({ 2: [B, 0.6] });
    expect(run.canvas.window).toEqual({ start, end: start + 4 });
  });

  it('a finished block lets its V go, whatever the window may pass inside a block', () => {
    const run = new Script(spec({ window: { kind: 'sliding', past: 'stable' } }), 1, 8);
    run.step();
    run.step({ 1: [A, 0.6], 2: [B, 0.6], 3: [C, 0.6], 4: [D, 0.6] });
    expect(run.canvas).toMatchObject({ block: 1, window: { start: 1, end: 5 } });
    // On its way out the identity is held: the KV computed now is that of the token it has.
    run.step({ 1: [E, 0.7], 2: [B, 0.9] });
    expect(run.canvas.window).toEqual({ start: 5, end: 9 });
    expect(run.canvas.positions[1]).toMatchObject({
      token: A,
      state: 'V',
      kv: { token: A, residency: 'mutable' },
    });
    expect(run.canvas.positions[2]).toMatchObject({ state: 'S', kv: { residency: 'long-term' } });
  });

  it.each([
    [false, 'once', 'S', null],
    [true, 'once', 'IV', null],
    [true, 'every-step', 'IV', { token: F, confidence: 0.95 }],
  ] as const)(
    'a sure draft whose token changed: equality %s, evaluated %s',
    (requireEqual, evaluate, state, draft) => {
      const drafts = { kind: 'drafts' as const, requireEqual, evaluate };
      const run = new Script(spec({ commit: { kind: 'quota' }, speculate: drafts }), 1, 8);
      run.step();
      for (const position of [1, 2, 3]) run.step({ [position]: [A, 0.9] });
      // Position 4 is the last of block 0; 5 holds a draft when block 1 opens.
      run.step({ 4: [A, 0.9], 5: [E, 0.95] });
      expect(run.canvas.positions[5].draft).toMatchObject({ token: E });
      run.step({ 5: [F, 0.95], 6: [A, 0.97] });
      expect(run.canvas.positions[5]).toMatchObject({ state, draft });
      expect(run.canvas.positions[6].state).toBe('S');
    },
  );
});

describe('Fig. 7b: adaptive lookahead', () => {
  const spec: PolicySpecInput = {
    name: 'figure 7b',
    blockLength: 4,
    window: { kind: 'block', lookahead: { trigger: 2, maxRows: 4, allowanceRatio: 1 } },
    cache: { kind: 'prefix', seal: 'pass' },
    commit: { kind: 'quota' },
    speculate: { kind: 'drafts' },
  };
  const perRow = { latencyTable: (rows: number) => rows };

  it('grows the pass from 4 to 8 rows without sliding, decoded tokens of the block included', () => {
    const run = new Script(spec, 1, 8, perRow);
    run.step();
    run.step({ 2: [B, 0.9] });
    expect(run.rows).toHaveLength(4);
    run.step({ 1: [A, 0.9] });
    expect(run.rows).toEqual([`1:${A}`, `2:${B}`, '3:_', '4:_', '5:_', '6:_', '7:_', '8:_']);
    run.step({ 3: [C, 0.9], 5: [E, 0.95] });
    expect(run.canvas.positions[5]).toMatchObject({ state: 'M', token: 99, kv: null, draft: { token: E } });
  });

  it('stops where the next bucket costs more than the allowance', () => {
    const tight: PolicySpecInput = {
      ...spec,
      window: { kind: 'block', lookahead: { trigger: 4, maxRows: 4, allowanceRatio: 0.5 } },
    };
    const run = new Script(tight, 1, 8, perRow);
    run.step();
    expect(run.rows).toHaveLength(6);
  });

  it.each([
    [0, 4],
    [1, 5],
    [2.5, 6],
    [4, 8],
  ])('stays within its memory budget: %d MiB of rows of 1 MiB', (memoryBudgetMib, rows) => {
    const tight: PolicySpecInput = {
      ...spec,
      window: { kind: 'block', lookahead: { trigger: 4, maxRows: 4, memoryBudgetMib } },
    };
    const run = new Script(tight, 1, 8, { ...perRow, rowBytes: 2 ** 20 });
    run.step();
    expect(run.rows).toHaveLength(rows);
  });

  it.each([
    [true, 8],
    [false, 4],
  ])('reads "below the trigger" inclusively: %s', (inclusive, rows) => {
    const edge: PolicySpecInput = {
      ...spec,
      window: { kind: 'block', lookahead: { trigger: 4, inclusive, maxRows: 4 } },
    };
    const run = new Script(edge, 1, 8, perRow);
    run.step();
    expect(run.rows).toHaveLength(rows);
  });
});
