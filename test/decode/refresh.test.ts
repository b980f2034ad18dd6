import { describe, expect, it } from 'vitest';
import { CanvasEdit } from '../../src/decode/canvas/edit.js';
import type { Position } from '../../src/decode/canvas/types.js';
import { landTickets, ticketsOf } from '../../src/decode/method/refresh-ledger.js';
import { factsOf, rulesOf } from '../../src/decode/parts.js';
import { DEFAULT_INPUTS } from '../../src/decode/rules/window/lookahead.js';
import { type PolicySpecInput, parsePolicySpec } from '../../src/decode/spec.js';
import { CheckError } from '../../src/errors.js';
import { MASK, Script } from './support/script.js';

const spec = (refresh: object = {}, rest: Partial<PolicySpecInput> = {}): PolicySpecInput => ({
  name: 'refresh',
  blockLength: 4,
  window: { kind: 'block' },
  cache: { kind: 'prefix', seal: 'pass' },
  commit: { kind: 'staged', visible: 0.5, stable: 0.8 },
  refresh: { kind: 'cpu', ...refresh },
  ...rest,
});

/** A first block of four visible tokens, sealed; the next step denoises the second block. */
function sealed(refresh: object = {}, rest: Partial<PolicySpecInput> = {}, genLength = 12): Script {
  const run = new Script(spec(refresh, rest), 1, genLength);
  run.step();
  run.step({ 1: [10, 0.7], 2: [11, 0.5], 3: [12, 0.6], 4: [13, 0.75] });
  expect(run.kind).toBe('seal');
  run.step();
  expect(run.kind).toBe('denoise');
  return run;
}

const groups = (run: Script): number[][] =>
  (run.plan?.passes.slice(1) ?? []).map((pass) => pass.logits.map((row) => pass.rows[row].position));

describe('launching', () => {
  it('one pass of up to `batch`, at most `perStep` positions', () => {
    expect(groups(sealed())).toEqual([[1, 2, 3, 4]]);
    expect(groups(sealed({ batch: 1, perStep: 3 }))).toEqual([[1], [2], [3]]);
    expect(groups(sealed({ batch: 2, perStep: 3 }))).toEqual([[1, 2], [3]]);
  });

  it('never a position that is under way, and never more than maxInFlight', () => {
    const run = sealed({ batch: 1, perStep: 2, maxInFlight: 3 });
    expect(groups(run)).toEqual([[1], [2]]);
    run.step();
    expect(groups(run)).toEqual([[3]]);
    run.step();
    expect(groups(run)).toEqual([]);
    expect(run.canvas.inFlight.map(({ launchedAt }) => launchedAt)).toEqual([3, 3, 4]);
  });

  it('counts positions under way, not the passes that hold them', () => {
    const run = sealed({ batch: 2, perStep: 2, maxInFlight: 3 });
    expect(groups(run)).toEqual([[1, 2]]);
    run.step();
    expect(groups(run)).toEqual([[3]]);
  });

  it('lowest confidence first', () => {
    expect(groups(sealed({ order: 'lowest-confidence', batch: 1, perStep: 4 }))).toEqual([
      [2],
      [3],
      [1],
      [4],
    ]);
  });

  it('oldest KV first: what was refreshed goes to the back', () => {
    const run = sealed({ batch: 2, perStep: 2 });
    expect(groups(run)).toEqual([[1, 2]]);
    run.step({}, [run.side(1, { 1: [10, 0.6], 2: [11, 0.6] })]);
    expect(groups(run)).toEqual([[3, 4]]);
    run.step({}, [run.side(1, { 3: [12, 0.6], 4: [13, 0.6] })]);
    expect(groups(run)).toEqual([[1, 2]]);
  });

  it('random order is a function of the seed', () => {
    const order = (seed: number) => groups(sealed({ order: 'random', batch: 1, perStep: 4, seed })).flat();
    expect(order(1)).toEqual(order(1));
    expect(new Set([1, 2, 3, 4, 5].map((seed) => order(seed).join())).size).toBeGreaterThan(1);
    expect([...order(3)].sort()).toEqual([1, 2, 3, 4]);
  });

  it('reads the scope it is given', () => {
    const reads = (refresh: object) => {
      const run = sealed({ batch: 1, perStep: 1, ...refresh });
      const pass = run.plan?.passes[1];
      return {
        reads: pass?.reads.map(({ position }) => position),
        rows: pass?.rows.map(({ position }) => position),
      };
    };
    expect(reads({ scope: 'prefix' })).toEqual({ reads: [0, 2, 3, 4], rows: [1] });
    expect(reads({ scope: 'stable-prefix' })).toEqual({ reads: [0], rows: [1] });
    expect(reads({ scope: 'prefix+window' })).toEqual({ reads: [0, 2, 3, 4], rows: [1, 5, 6, 7, 8] });
  });
});

describe('landing', () => {
  it('rewrites token, confidence, state and KV together', () => {
    const run = sealed({ batch: 1, perStep: 1 });
    const pass = run.plan?.passes[1];
    run.step({}, [run.side(1, { 1: [10, 0.8] })]);
    expect(run.canvas.positions[1]).toMatchObject({
      state: 'S',
      token: 10,
      confidence: 0.8,
      kv: { version: pass?.version, token: 10, residency: 'long-term' },
    });
  });

  it('below theta_visible a token stays, but its KV is renewed', () => {
    const run = sealed({ batch: 1, perStep: 1 });
    const pass = run.plan?.passes[1];
    run.step({}, [run.side(1, { 1: [44, 0.4] })]);
    expect(run.canvas.positions[1]).toMatchObject({ state: 'V', token: 10, kv: { version: pass?.version } });
  });

  it('replace always takes any new best token', () => {
    const run = sealed({ batch: 1, perStep: 1, replace: 'always' });
    run.step({}, [run.side(1, { 1: [44, 0.4] })]);
    expect(run.canvas.positions[1]).toMatchObject({ state: 'V', token: 44, kv: { token: 10 } });
  });

  it('feed mask re-scores unseen and rewrites KV only after a change', () => {
    const run = sealed({ batch: 1, perStep: 1, feed: 'mask', order: 'lowest-confidence' });
    expect(run.plan?.passes[1].rows).toEqual([{ position: 2, feed: MASK }]);
    const before = run.canvas.positions[2].kv;
    run.step({}, [run.side(1, { 2: [44, 0.55] })]);
    expect(run.canvas.positions[2]).toMatchObject({ token: 44, state: 'V', kv: before });
    expect(run.plan?.passes[1].rows).toEqual([{ position: 2, feed: 44 }]);
    run.step({}, [run.side(1, { 2: [44, 0.9] })]);
    expect(run.canvas.positions[2]).toMatchObject({
      token: 44,
      state: 'S',
      kv: { token: 44, residency: 'long-term' },
    });
  });

  it('a result older than maxAgeSteps is dropped whole', () => {
    const run = sealed({ maxAgeSteps: 1 });
    const late = run.side(1, { 1: [10, 0.9], 2: [11, 0.9], 3: [12, 0.9], 4: [13, 0.9] });
    run.step();
    run.step();
    const before = run.canvas.positions.slice(0, 5);
    const { dropped } = run.step({}, [late]);
    expect(dropped.map(({ position, reason }) => `${position} ${reason}`)).toEqual([
      '1 late',
      '2 late',
      '3 late',
      '4 late',
    ]);
    expect(run.canvas.positions.slice(0, 5)).toEqual(before);
    expect(run.canvas.inFlight).toEqual([]);
  });

  it('a result exactly maxAgeSteps old still lands', () => {
    const run = sealed({ maxAgeSteps: 1, batch: 1, perStep: 1 });
    const result = run.side(1, { 1: [10, 0.9] });
    run.step();
    expect(run.step({}, [result]).dropped).toEqual([]);
    expect(run.canvas.positions[1].state).toBe('S');
  });

  it('a result whose target got other KV in the meantime is superseded, even with the same token', () => {
    const run = sealed({ batch: 1, perStep: 1 }, { final: { kind: 'sweep', passes: 2 } }, 8);
    const old = run.side(1, { 1: [10, 0.9] });
    run.step({ 5: [20, 0.9], 6: [21, 0.9], 7: [22, 0.9], 8: [23, 0.9] });
    run.step();
    run.step({ 1: [10, 0.6] });
    const swept = run.canvas.positions[1];
    expect(swept).toMatchObject({ state: 'V', token: 10 });
    const { dropped } = run.step({ 1: [10, 0.6] }, [old]);
    expect(dropped).toEqual([{ passId: old.passId, position: 1, reason: 'superseded' }]);
    expect(run.canvas.positions[1].state).toBe('V');
  });

  it('nothing new is launched after the last block', () => {
    const run = sealed({ batch: 1, perStep: 1, maxInFlight: 9 }, { final: { kind: 'sweep', passes: 1 } }, 8);
    run.step({ 5: [20, 0.9], 6: [21, 0.9], 7: [22, 0.9], 8: [23, 0.9] });
    expect(run.kind).toBe('seal');
    expect(run.plan?.passes).toHaveLength(1);
    run.step();
    expect(run.kind).toBe('refresh');
    expect(run.plan?.passes).toHaveLength(1);
  });

  it('what the final sweep overtakes is superseded; what is still under way at the end is reported', () => {
    const sweep = { final: { kind: 'sweep' as const, passes: 2 } };
    const run = sealed({ batch: 2, perStep: 4, maxInFlight: 4 }, sweep, 8);
    const [first, second] = [run.side(1, {}), run.side(2, {})];
    run.step({ 5: [20, 0.9], 6: [21, 0.9], 7: [22, 0.9], 8: [23, 0.9] });
    expect(run.kind).toBe('seal');
    run.step();
    expect(run.kind).toBe('refresh');
    run.step({ 1: [10, 0.6], 2: [11, 0.6], 3: [12, 0.6], 4: [13, 0.6] });
    const { dropped, transitions } = run.step({ 1: [10, 0.9], 2: [11, 0.6] }, [first]);
    expect(dropped).toEqual([
      { passId: first.passId, position: 1, reason: 'superseded' },
      { passId: first.passId, position: 2, reason: 'superseded' },
      { passId: second.passId, position: 3, reason: 'finished' },
      { passId: second.passId, position: 4, reason: 'finished' },
    ]);
    expect(run.plan).toBeNull();
    expect(transitions.filter((t) => t.reason === 'final').map(({ position }) => position)).toEqual([
      2, 3, 4,
    ]);
  });

  it('refuses an outcome nobody asked for', () => {
    const run = sealed();
    expect(() => run.step({}, [{ passId: '77.1', rows: [] }])).toThrow(CheckError);
    const pass = run.side(1, {});
    expect(() => run.step({}, [{ ...pass, rows: pass.rows.slice(1) }])).toThrow(/no outcome for position 1/);
  });
});

describe('falling below theta_visible in the window', () => {
  const window = (falling: 'sticky' | 'demote') =>
    new Script(spec({}, { refresh: { kind: 'none' }, revise: { falling }, blockLength: 5 }), 1, 10);

  it('sticky keeps token and state', () => {
    const run = window('sticky');
    run.step();
    run.step({ 1: [10, 0.7], 2: [11, 0.6] });
    run.step({ 1: [12, 0.1], 2: [11, 0.2], 3: [13, 0.9], 4: [14, 0.9] });
    expect(run.states).toBe('V V S S IV M M M M M');
    expect(run.canvas.positions[1]).toMatchObject({ token: 10, confidence: 0.7 });
    expect(run.canvas.positions[2]).toMatchObject({ token: 11, confidence: 0.2 });
  });

  it('demote sends fewer back than were promoted, the least sure first', () => {
    const run = window('demote');
    run.step();
    run.step({ 1: [10, 0.7], 2: [11, 0.6] });
    run.step({ 1: [10, 0.1], 2: [11, 0.2], 3: [13, 0.9], 4: [14, 0.9] });
    expect(run.states).toBe('IV V S S IV M M M M M');
    expect(run.canvas.positions[1].token).toBe(MASK);
  });
});

describe('dependents', () => {
  /** The second block is stable and sealed while a refresh of the first is under way; then the refresh lands. */
  function afterChange(refresh: object, token: number): Script {
    const run = sealed(refresh);
    const side = run.side(1, { 1: [token, 0.6], 2: [11, 0.6], 3: [12, 0.6], 4: [13, 0.6] });
    run.step({ 5: [20, 0.9], 6: [21, 0.9], 7: [22, 0.9], 8: [23, 0.9] });
    expect(run.kind).toBe('seal');
    run.step({}, [side]);
    return run;
  }

  it('are entries that saw a token which a refresh changed: refreshed after the visible ones', () => {
    const what = { what: 'self+dependents', perStep: 8, batch: 8, maxInFlight: 8 };
    const run = afterChange(what, 30);
    expect(groups(run)).toEqual([[1, 2, 3, 4, 5, 6, 7, 8]]);
    const before = run.canvas.positions[5];
    run.step({}, [run.side(1, { 1: [30, 0.6], 2: [11, 0.6], 3: [12, 0.6], 4: [13, 0.6], 5: [99, 0.9] })]);
    const after = run.canvas.positions[5];
    // New KV and nothing else, and only once.
    expect(after).toMatchObject({ state: 'S', token: before.token, confidence: before.confidence });
    expect(after.kv?.version).toBeGreaterThan(before.kv?.version ?? 0);
    expect(groups(run)).toEqual([[1, 2, 3, 4]]);
  });

  it('stay as they are when no token changed, and by default', () => {
    expect(
      groups(afterChange({ what: 'self+dependents', perStep: 8, maxInFlight: 8 }, 10)).flat(),
    ).toHaveLength(4);
    expect(groups(afterChange({ perStep: 8, maxInFlight: 8 }, 30)).flat()).toHaveLength(4);
  });
});

describe('late results', () => {
  it('a step without refreshes waits for none', () => {
    const run = new Script(spec({ late: 'block' }), 1, 8);
    expect(run.plan?.passes).toHaveLength(1);
    expect(run.plan?.joins).toBeUndefined();
  });

  it('block: a step with refreshes waits for them', () => {
    expect(sealed({ late: 'block' }).plan?.joins).toBe(true);
    expect(sealed().plan?.joins).toBeUndefined();
  });
});

describe('the rule of the CPU lane', () => {
  const policy = parsePolicySpec(spec({ batch: 4, perStep: 4 }));
  const rule = rulesOf(policy).refresh.rule(factsOf(policy), DEFAULT_INPUTS);

  it('rides with the window only where the main pass denoises', () => {
    const run = sealed({ scope: 'prefix+window', batch: 1, perStep: 1, maxInFlight: 9 });
    expect(run.plan?.passes[1].rows).toHaveLength(5);
    run.step({ 5: [20, 0.9], 6: [21, 0.9], 7: [22, 0.9], 8: [23, 0.9] });
    expect(run.kind).toBe('seal');
    expect(run.plan?.passes[1].rows).toHaveLength(1);
  });

  it('a result is superseded when its target is stable now, unless its KV is stale, or has none', () => {
    const run = sealed();
    const result = run.side(1, { 1: [10, 0.6], 2: [11, 0.6], 3: [12, 0.6], 4: [13, 0.6] });
    const { plan, canvas } = run;
    if (plan === null) throw new Error('the script is over');
    const tickets = ticketsOf(canvas, plan);
    const landed = (change: Partial<Position>): string => {
      const edit = new CanvasEdit(canvas);
      edit.patch(2, change);
      return landTickets(rule, edit, tickets, [result], 3)
        .dropped.map(({ reason }) => reason)
        .join();
    };
    const all = Array.from({ length: 4 }, () => 'superseded').join();
    expect([landed({}), landed({ state: 'S', stale: true })]).toEqual(['', '']);
    expect([
      landed({ state: 'S' }),
      landed({ state: 'S', stale: false }),
      landed({ state: 'IV', stale: true }),
    ]).toEqual([all, all, all]);
    expect(landed({ kv: null })).toBe(all);
  });

  it('is refused for a position without KV', () => {
    const run = sealed();
    const { plan, canvas } = run;
    if (plan === null) throw new Error('the script is over');
    const bare = { ...canvas, positions: canvas.positions.map((position) => ({ ...position, kv: null })) };
    expect(() => ticketsOf(bare, plan)).toThrow(/refresh of position 1, which has no durable KV/);
    expect(() => ticketsOf(bare, plan)).toThrow(CheckError);
  });

  it('leaves alone what the main pass computes', () => {
    const { canvas } = sealed();
    expect(rule.launch(canvas, new Set([2, 4]))).toEqual([[1, 3]]);
  });

  it('a result is superseded when its target has another token now, even with the same KV', () => {
    const run = sealed();
    const result = run.side(1, { 1: [10, 0.6], 2: [11, 0.6], 3: [12, 0.6], 4: [13, 0.6] });
    const { plan, canvas } = run;
    if (plan === null) throw new Error('the script is over');
    const tickets = ticketsOf(canvas, plan);
    const edit = new CanvasEdit(canvas);
    edit.patch(3, { token: 77 });
    const { dropped } = landTickets(rule, edit, tickets, [result], 3);
    expect(dropped.map(({ position, reason }) => `${position} ${reason}`)).toEqual([
      '1 superseded',
      '2 superseded',
      '3 superseded',
      '4 superseded',
    ]);
    expect(edit.at(1)).toEqual(canvas.positions[1]);
    expect(landTickets(rule, new CanvasEdit(canvas), tickets, [result], 3).dropped).toEqual([]);
  });
});
