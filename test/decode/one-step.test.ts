import { describe, expect, it } from 'vitest';
import type { Canvas, Draft } from '../../src/decode/canvas/types.js';
import { composePolicy } from '../../src/decode/method/compose.js';
import { maskFor } from '../../src/decode/method/session.js';
import { techniquesOf } from '../../src/decode/method/techniques.js';
import { factsOf, rulesOf } from '../../src/decode/parts.js';
import { checkFit, policySpecByName } from '../../src/decode/policies.js';
import { landing } from '../../src/decode/rules/refresh/landing.js';
import { RULES } from '../../src/decode/rules/registry.js';
import { lookaheadRule } from '../../src/decode/rules/window/lookahead.js';
import { type PolicySpecInput, parsePolicySpec } from '../../src/decode/spec.js';
import { renderCanvas } from '../../src/decode/trace/render.js';
import { replayTrace } from '../../src/decode/trace/trace.js';
import type { Workload } from './support/arbitraries.js';
import { runToy } from './support/run.js';
import { MASK, Script } from './support/script.js';
import { ToyEngine } from './support/toy-engine.js';

/** Single steps that random decodes take seldom, or that change what a decode costs and not what it writes. */
const named = (name: string, change: Partial<PolicySpecInput> = {}): PolicySpecInput => ({
  ...policySpecByName(name),
  ...change,
});

describe('a block whose tokens may still change', () => {
  it('is finished by the pass that changes nothing, long before its passes are used up', () => {
    const script = new Script(named('joint-threshold', { blockLength: 2 }), 2, 2);
    script.step();
    script.step({ 2: [4, 0.9], 3: [5, 0.9] });
    expect(script.states).toBe('V V');
    script.step({ 2: [6, 0.9], 3: [5, 0.9] });
    expect(script.states).toBe('V V');
    script.step({ 2: [6, 0.9], 3: [5, 0.9] });
    expect([script.states, script.plan]).toEqual(['S S', null]);
  });

  it('is finished by its last pass, and at once where there is none', () => {
    const left = (edits: number): string => {
      const commit = { kind: 'joint-threshold', edits } as const;
      const script = new Script(named('joint-threshold', { blockLength: 2, commit }), 2, 2);
      script.step();
      let token = 3;
      let passes = 0;
      for (; script.plan !== null && passes < 9; passes++) {
        token++;
        script.step({ 2: [token, 0.9], 3: [token, 0.9] });
      }
      return `${passes}`;
    };
    // The pass that fills, and as many as may edit.
    expect([0, 1, 3].map(left)).toEqual(['1', '2', '4']);
  });
});

describe('rows of a window', () => {
  it('are those of its block, or all from there to the end', () => {
    const rows = (extent: 'block' | 'suffix'): string[] => {
      const script = new Script(
        named('block-kv', { blockLength: 2, window: { kind: 'block', extent } }),
        1,
        6,
      );
      const seen: string[] = [];
      for (let at = 0; at < 6 && script.plan !== null; at++) {
        if (script.kind === 'denoise') seen.push(script.rows.map((row) => row.split(':')[0]).join(' '));
        script.step({ 1: [4, 0.9], 2: [5, 0.8] });
      }
      return seen.slice(0, 3);
    };
    expect(rows('block')).toEqual(['1 2', '1 2', '3 4']);
    expect(rows('suffix')).toEqual(['1 2 3 4 5 6', '1 2 3 4 5 6', '3 4 5 6']);
  });
});

describe('a delayed cache', () => {
  it('has the prompt from the first pass on, and a finished block a pass after the first that saw it', () => {
    const script = new Script(named('multi-block-cached', { blockLength: 2 }), 3, 4);
    const rows = [script.rows.length];
    script.step({ 3: [4, 0.99], 4: [5, 0.99] });
    rows.push(script.rows.length);
    script.step();
    rows.push(script.rows.length);
    // All; all anew while block 0 waits; what is not cached.
    expect(rows).toEqual([7, 7, 4]);
  });
});

describe('orders of indel', () => {
  it('are kept from rows that may change, in the last pass, and from no row of the prompt', () => {
    const commit = { kind: 'indel', deleteId: 2, splitId: 3, edits: 0 } as const;
    const script = new Script(named('joint-threshold', { blockLength: 3, commit }), 4, 2);
    script.step();
    script.step({ 4: [6, 0.9], 5: [7, 0.9] });
    const rows = script.plan?.passes[0].rows ?? [];
    const excluding = rows.flatMap(({ position, excludes }) => (excludes === undefined ? [] : [position]));
    expect([rows.map(({ position }) => position), excluding]).toEqual([
      [3, 4, 5],
      [4, 5],
    ]);
  });
});

describe('a visible token of the current block', () => {
  it('is fed to its row, or hidden from it so that it is said once more unseen', () => {
    const fed = (feed: 'token' | 'mask') => {
      const spec = named('sts', { blockLength: 3, revise: { falling: 'sticky', feed, rename: true } });
      const script = new Script(spec, 1, 3);
      script.step();
      script.step({ 1: [7, 0.8], 2: [8, 0.95], 3: [9, 0.1] });
      return script.rows.join(' ');
    };
    expect(fed('token')).toBe('1:7 2:8 3:_');
    expect(fed('mask')).toBe('1:_ 2:8 3:_');
  });
});

describe('left to right', () => {
  it('has no window, and its block is the next token', () => {
    const script = new Script(named('autoregressive'), 3, 4);
    script.step({ 2: [5, 1] });
    script.step({ 3: [6, 1] });
    expect(script.canvas).toMatchObject({ step: 2, block: 2, window: { start: 5, end: 5 } });
  });

  it('counts the pass that drafts as a step', () => {
    const script = new Script(named('nemotron-self-speculation'), 3, 4);
    const steps = [script.canvas.step];
    for (let at = 0; at < 3 && script.plan !== null; at++) {
      script.step();
      steps.push(script.canvas.step);
    }
    expect(steps).toEqual([0, 1, 2, 3]);
  });

  it('knows no mask, but of a model that was trained with them as well', () => {
    const policy = composePolicy(named('autoregressive'));
    const model = { ...new ToyEngine({ seed: 1 }).config, attention: 'causal', maskId: 3 } as const;
    expect(maskFor(policy, model)).toBe(model.vocab);
    expect(maskFor(policy, { ...model, alsoCausal: true } as never)).toBe(3);
    expect(maskFor(policy, { ...model, alsoCausal: true, maskId: null } as never)).toBe(model.vocab);
  });
});

describe('a state that a commit rule gives at once', () => {
  it.each(Object.keys(RULES.commit) as (keyof typeof RULES.commit)[])('%s', (kind) => {
    const options = kind === 'indel' ? { deleteId: 2, splitId: 3 } : {};
    const homes: Readonly<Record<string, string>> = {
      revocable: 'wino',
      'joint-threshold': 'joint-threshold',
      indel: 'joint-threshold',
      'early-commit': 'prophet',
      'entropy-bound': 'eb-sampler',
      'active-blocks': 'multi-block',
    };
    const spec = parsePolicySpec(
      named(homes[kind] ?? 'threshold', { commit: { kind, ...options } as never }),
    );
    const rule = rulesOf(spec).commit.rule(factsOf(spec), { latencyTable: () => 1, rowBytes: 0 });
    const wanted = {
      staged: ['V', 'V', 'S'],
      revocable: ['V', 'V', 'V'],
      'joint-threshold': ['V', 'V', 'V'],
      indel: ['V', 'V', 'V'],
    }[kind as string] ?? ['S', 'S', 'S'];
    expect([0, 0.8, 0.9].map((confidence) => rule.stateFor(confidence))).toEqual(wanted);
  });
});

describe('drafts', () => {
  const draft: Draft = { token: 5, confidence: 0.5, step: 1 };
  const rule = (change: object) => {
    const spec = parsePolicySpec(
      named('mbsd', { speculate: { kind: 'drafts', acceptConfidence: 0.5, feedConfidence: 0.5, ...change } }),
    );
    return rulesOf(spec).speculate.rule(factsOf(spec), { latencyTable: () => 1, rowBytes: 0 });
  };
  const score = (token: number, confidence: number) => ({ position: 3, token, confidence });

  it('are accepted at their confidence, and by another token unless it must be theirs', () => {
    expect(rule({}).accepts(draft, score(7, 0.5))).toBe(true);
    expect(rule({}).accepts(draft, score(5, 0.4375))).toBe(false);
    expect(rule({ requireEqual: true }).accepts(draft, score(5, 0.5))).toBe(true);
    expect(rule({ requireEqual: true }).accepts(draft, score(7, 0.5))).toBe(false);
  });

  it('enter their block with the state that they had only where they are carried, and are sure enough', () => {
    expect(rule({}).carries(draft)).toBe(false);
    expect(rule({ entry: 'carry' }).carries(draft)).toBe(true);
    expect(rule({ entry: 'carry' }).carries({ ...draft, confidence: 0.4375 })).toBe(false);
  });

  it('are made anew by every row of a later block, and in the current one where each step judges them', () => {
    const position = { state: 'IV', token: MASK, confidence: 0, kv: null, draft } as const;
    const next = (change: object, isCurrent: boolean, own: Draft | null = draft) =>
      rule(change).next({ ...position, draft: own }, score(7, 0.25), isCurrent, 9);
    const fresh = { token: 7, confidence: 0.25, step: 9 };
    expect([next({}, false), next({}, false, null), next({}, true)]).toEqual([fresh, fresh, null]);
    expect([next({ evaluate: 'every-step' }, true), next({ evaluate: 'every-step' }, true, null)]).toEqual([
      fresh,
      null,
    ]);
  });

  it('that must be equal hold back a row that was fed one and says another, no other row', () => {
    const strict = rule({ requireEqual: true });
    expect(strict.withholds(draft, score(7, 0.9))).toBe(true);
    expect(strict.withholds(draft, score(5, 0.9))).toBe(false);
    expect(strict.withholds({ ...draft, confidence: 0.4375 }, score(7, 0.9))).toBe(false);
    expect(rule({}).withholds(draft, score(7, 0.9))).toBe(false);
  });

  it('of exact speculation: one chain where a schedule says how many are committed, guesses of the number where a threshold does', async () => {
    const rows = async (name: string, drafts: 'auto' | 'chain' | 'prefixes'): Promise<string> => {
      const commit = name.endsWith('threshold') ? { commit: { kind: 'threshold', tau: 0.3 } as const } : {};
      const speculate = { kind: 'exact', tile: 48, drafts } as const;
      const spec = named(name, { blockLength: 8, speculate, ...commit });
      const groups: string[] = [];
      for (let seed = 0; seed < 2; seed++) {
        const work: Workload = {
          sway: 0.4,
          sharpness: 3,
          promptIds: [1, 2],
          blocks: 1,
          timerSeed: null,
          seed,
        };
        const { result } = await runToy(spec, work);
        groups.push(...result.steps.map(({ plan }) => JSON.stringify(plan.passes[0])));
      }
      return groups.join();
    };
    for (const [name, own, other] of [
      ['exact-speculation', 'chain', 'prefixes'],
      ['exact-speculation-threshold', 'prefixes', 'chain'],
    ] as const) {
      const auto = await rows(name, 'auto');
      expect(auto, name).toBe(await rows(name, own));
      expect(auto, name).not.toBe(await rows(name, other));
    }
  });
});

describe('lookahead on a table', () => {
  const spec = named('mbsd', { blockLength: 32 });
  const { canvas } = new Script(spec, 1, 128);
  /** One mask is left in the block; the window has 32 rows. */
  const few: Canvas = {
    ...canvas,
    positions: canvas.positions.map((position, at) =>
      at > 0 && at < 32 ? { ...position, state: 'S', token: 4 } : position,
    ),
    window: { start: 1, end: 33 },
  };
  const added = (change: object, table: (rows: number) => number, rowBytes = 0) =>
    lookaheadRule(
      {
        trigger: 1,
        inclusive: true,
        allowanceRatio: 1,
        maxRows: 99,
        memoryBudgetMib: null,
        buckets: 'step',
        ...change,
      },
      { latencyTable: table, rowBytes },
    )(few);
  const tiles = (rows: number): number => 100 * Math.ceil(rows / 32);

  it('appends rows while the pass takes no more than is allowed', () => {
    // A second tile doubles the time of 32 rows, a third would triple it.
    expect(added({}, tiles)).toEqual(Array.from({ length: 32 }, (_, i) => 33 + i));
    expect(added({ allowanceRatio: 0.99 }, tiles)).toEqual([]);
    expect(added({ maxRows: 5 }, tiles)).toHaveLength(5);
    expect(added({ trigger: 0 }, tiles)).toEqual([]);
    expect(added({ inclusive: false }, tiles)).toEqual([]);
  });

  it('goes on straight lines between tiles where asked to', () => {
    // From 100 at 32 rows to 200 at 64: 25 % more is 8 rows.
    expect(added({ buckets: 'smooth', allowanceRatio: 0.25 }, tiles)).toHaveLength(8);
    expect(added({ buckets: 'smooth', allowanceRatio: 1.5 }, tiles)).toHaveLength(48);
  });

  it('stays within its memory, to the last byte', () => {
    expect(added({ memoryBudgetMib: 1 }, tiles, 2 ** 18)).toHaveLength(4);
    expect(added({ memoryBudgetMib: 1 }, tiles, 2 ** 18 + 1)).toHaveLength(3);
  });
});

describe('a landing without KV', () => {
  it('gets that of what was fed, since there is no other', () => {
    const before = { state: 'V', token: 4, confidence: 0.5, kv: null, draft: null } as const;
    const land = landing({ visible: 0.5, stable: 0.75 }, 'visible');
    const target = { position: 3, feed: MASK, token: 4 } as never;
    expect(land(before, target, 9, { position: 3, token: 4, confidence: 0.9 })).toMatchObject({
      state: 'V',
      kv: { position: 3, version: 9, token: MASK, residency: 'mutable' },
    });
  });
});

describe('settings that contradict the rest of a policy', () => {
  it.each([
    ['stop block', { stop: 'block' }, 'stop block'],
    [
      'upstream',
      { endOfText: { logit: 'keep', confidence: 'upstream', turnId: null } },
      'endOfText.confidence upstream',
    ],
  ] as const)('%s', (_, change, said) => {
    const swept = named('mbsd-sts', { final: { kind: 'sweep' } });
    expect(() => parsePolicySpec({ ...swept, ...change } as PolicySpecInput)).toThrow(said);
  });
});

describe('what a technique is without', () => {
  it('multi-block speculation: blocks one after the other, sealed by a pass', () => {
    const spec = parsePolicySpec(named('mbsd'));
    const without = techniquesOf(spec).find(
      ({ technique }) => technique === 'multi-block speculation',
    )?.without;
    expect(without).toMatchObject({
      window: { kind: 'block' },
      cache: { kind: 'prefix', seal: 'pass' },
      speculate: { kind: 'none' },
    });
  });
});

describe('a policy in other blocks than its model', () => {
  it('is refused with the option that says them', () => {
    const model = { ...new ToyEngine({ seed: 1 }).config, blockLength: 8 };
    const trained = { ...model, attention: 'block-causal' };
    expect(() => checkFit(parsePolicySpec(named('sdar', { blockLength: 16 })), trained as never)).toThrow(
      '--block-length 8',
    );
  });
});

describe('a trace on a clock', () => {
  it('ends when its last step does, and one without steps at 0', () => {
    const steps = [0, 1, 2].map((step) => ({ plan: { step, passes: [] }, landed: [] }));
    const trace = { steps } as unknown as Parameters<typeof replayTrace>[0];
    let now = 0;
    const timer = {
      time: () => {
        now += 5;
        return { startMs: now - 5, endMs: now, completed: [] };
      },
    };
    const replayed = replayTrace(trace, timer as never);
    expect(replayed.totalMs).toBe(15);
    expect(replayed.divergesAt).toBeNull();
    expect(replayTrace({ ...trace, steps: [] }, timer as never).totalMs).toBe(0);
  });
});

describe('a rendered canvas', () => {
  it('shows the prompt dim, as it is, where it is asked for', () => {
    const { canvas } = new Script(named('block-kv', { blockLength: 2 }), 2, 2);
    const text = (token: number) => `<${token}>`;
    const whole = renderCanvas(canvas, { text, prompt: true, color: true } as never);
    const without = renderCanvas(canvas, { text, color: true } as never);
    expect(whole.endsWith(without)).toBe(true);
    const dim = '\u001b[2m<1>\u001b[22m';
    expect(whole.slice(0, whole.length - without.length)).toBe(dim + dim);
  });
});
