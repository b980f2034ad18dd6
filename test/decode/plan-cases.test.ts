import { describe, expect, it } from 'vitest';
import { composePolicy } from '../../src/decode/method/compose.js';
import { policySpecByName } from '../../src/decode/policies.js';
import type { PolicySpecInput } from '../../src/decode/spec.js';
import { CheckError } from '../../src/errors.js';
import { groupsOf } from '../../src/pass/groups.js';
import { MASK, Script } from './support/script.js';

const named = (name: string, change: Partial<PolicySpecInput> = {}): PolicySpecInput => ({
  ...policySpecByName(name),
  ...change,
});
const staged = { kind: 'staged', visible: 0.5, stable: 0.9 } as const;

describe('a plan', () => {
  it('asks the last row before the open block for its first token, and no other', () => {
    const first = (given?: readonly number[]) => {
      const script = new Script(named('fast-dllm-v2', { blockLength: 2 }), 4, 6, {}, { given });
      const asked: string[] = [];
      for (let at = 0; at < 2 && script.plan !== null; at++) {
        const [main] = script.plan.passes;
        asked.push(`${main.kind} ${main.logits.map((row) => main.rows[row].position).join()}`);
        script.step();
      }
      return asked;
    };
    expect(first()).toEqual(['prefill 3', 'denoise 4,5']);
    // The first block is given: the token after it is said by the pass that caches it.
    expect(first([5, 6])).toEqual(['prefill ', 'seal 5']);
    expect(first([5, 6, 5])).toEqual(['prefill ', 'seal ']);
    expect(first([5])).toEqual(['prefill ', 'denoise 4,5']);
  });

  it.each([
    ...[
      'llada',
      'block-kv',
      'mbsd',
      'fast-dllm-v2',
      'dkv',
      'multi-block-cached',
      'wino',
      'exact-speculation',
    ],
    ...['fast-dllm-dual', 'llada.cpp', 'block-causal', 'joint-threshold', 'dream'],
  ])('of %s decides nothing where everything is given', (name) => {
    const given = [5, 6, 5, 6];
    const script = new Script(named(name, { blockLength: 2 }), 4, 4, {}, { given });
    for (let at = 0; at < 3 && script.plan !== null; at++) {
      expect(script.kind).toBe('prefill');
      script.step();
    }
    expect(script.plan).toBeNull();
    expect(script.canvas.positions.slice(4).map(({ token }) => token)).toEqual(given);
  });

  it('sweeps what is visible in one pass, however the prompt was cached', () => {
    const spec = named('block-causal', { blockLength: 2, commit: staged, final: { kind: 'sweep' } });
    const script = new Script(spec, 2, 6);
    const groups: string[] = [];
    while (script.plan !== null && groups.length < 12) {
      const [main] = script.plan.passes;
      groups.push(
        `${main.kind} ${groupsOf(main)
          .map(({ rows }) => rows)
          .join('+')}`,
      );
      script.step(Object.fromEntries(main.rows.map(({ position }) => [position, [4, 0.6] as const])));
    }
    expect(groups).toEqual([
      ...['prefill 2', 'denoise 2', 'seal 2', 'denoise 2', 'seal 2', 'denoise 2', 'seal 2'],
      'refresh 6',
    ]);
  });

  it('is applied to the canvas that it was made for', () => {
    const policy = composePolicy(named('llada', { blockLength: 2 }));
    const canvas = policy.start([1], 2, MASK);
    const plan = policy.plan(canvas);
    if (plan === null) throw new Error('nothing to do');
    const rows = plan.passes[0].rows.map(({ position }) => ({ position, token: 4, confidence: 0.5 }));
    const later = { ...plan, step: 1 };
    const applied = (of: typeof plan) => policy.apply(canvas, of, { passId: '0.0', rows }, []);
    expect(applied(plan).canvas.step).toBe(1);
    expect(() => applied(later)).toThrow(/plan of step 1 applied to a canvas at step 0/);
    expect(() => applied(later)).toThrow(CheckError);
  });

  it('counts the passes of a sweep in its budget', () => {
    const budget = (passes: number) =>
      composePolicy(named('sts', { blockLength: 4, final: { kind: 'sweep', passes } })).stepBudget(8);
    // A prefill, eight masks, two seals, the sweeps and the seal before them.
    expect([1, 2, 5].map(budget)).toEqual([13, 14, 17]);
  });
});

describe('a window that slides over given tokens', () => {
  it('passes none that no pass has computed', () => {
    const spec = named('mbsd', {
      ...{ blockLength: 2, window: { kind: 'sliding' }, speculate: { kind: 'none' } },
      ...{ cache: { kind: 'prefix', seal: 'as-is' }, commit: { kind: 'threshold', tau: 0.5 } },
    });
    const script = new Script(spec, 1, 6, {}, { given: [MASK, MASK, 5, 6, MASK] });
    script.step();
    script.step({ 1: [4, 0.9], 2: [4, 0.9] });
    // Positions 3 and 4 stand, and have no KV yet.
    expect(script.canvas.window).toEqual({ start: 3, end: 5 });
    script.step();
    expect(script.canvas.window.start).toBe(5);
    expect(script.canvas.positions.slice(1, 5).every(({ kv }) => kv !== null)).toBe(true);
  });
});
