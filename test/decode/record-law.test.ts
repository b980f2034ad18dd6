import { describe, expect, it } from 'vitest';
import type { Canvas, Transition } from '../../src/decode/canvas/types.js';
import { checkLaws, describeViolation } from '../../src/decode/laws/check.js';
import type { CheckedStep } from '../../src/decode/laws/law.js';
import { logicalSteps } from '../../src/decode/laws/logical-steps.js';
import type { RowGroup } from '../../src/pass/pass.js';
import { canvasOf, MASK, passOf, SAID, stepOf } from './support/one-record.js';

const gives = (position: number, change: Partial<Transition> = {}): Transition => ({
  ...{ position, from: 'IV', to: 'S', tokenBefore: MASK, ...SAID, reason: 'commit' },
  ...change,
});

describe('a whole record', () => {
  const start = canvasOf(['IV', 'IV']);
  const both = stepOf([passOf([1, 2])], { transitions: [gives(1), gives(2)] });
  const checked = (canvas: Canvas, steps: readonly CheckedStep[], stepBudget = steps.length) =>
    checkLaws({ start: canvas, stepBudget, givenUp: [], trained: { attention: 'bidirectional' } }, steps);
  const broken = (...args: Parameters<typeof checked>): string[] =>
    checked(...args).map(({ law, clause, step, position }) => `${law} ${clause} ${step} ${position}`);

  it('is sound when its steps are, within its budget', () => {
    expect(broken(start, [both])).toEqual([]);
    expect(broken(start, [both], 0)).toEqual(['D4 budget 0 null']);
  });

  it('leaves no mask', () => {
    const one = stepOf([passOf([1, 2])], { transitions: [gives(1)] });
    expect(broken(start, [one])).toEqual(['D4 mask-left 0 2']);
    expect(checked(start, [one])[0].message).toBe('still IV at the end, in block 0');
    const later = canvasOf(['S', 'S', 'M', 'S']);
    const third = stepOf([passOf([4])], { transitions: [gives(4, { from: 'S' })] }, 1);
    expect(checked(later, [third]).map(({ message }) => message)).toContain('still M at the end, in block 1');
    // Undecided, whatever it holds; decided, with the mask for a token.
    for (const state of ['IV', 'M'] as const)
      expect(broken(canvasOf(['S', state], { 2: { token: 5 } }), [])).toEqual(['D4 mask-left 0 2']);
    expect(broken(canvasOf(['S', 'S'], { 1: { token: MASK } }), [])).toEqual(['D4 mask-left 0 1']);
  });

  it('reports what is visible at its end: in its last step, as such, at that position', () => {
    const visible = (...transitions: Transition[]) =>
      broken(start, [
        stepOf([passOf([1, 2])], { transitions: [gives(1, { to: 'V' }), gives(2), ...transitions] }),
      ]);
    const report = gives(1, { from: 'V', to: 'V', tokenBefore: SAID.token, reason: 'final' });
    expect(visible()).toEqual(['D7 visible-unreported 0 1']);
    expect(visible(report)).toEqual([]);
    expect(visible({ ...report, reason: 'revise' })).toEqual(['D7 visible-unreported 0 1']);
    expect(visible({ ...report, position: 2, from: 'S', to: 'S' })).toContain('D7 visible-unreported 0 1');
    const early = stepOf([passOf([1, 2])], { transitions: [gives(1, { to: 'V' }), report] });
    const late = passOf([[1, SAID.token], 2], { id: '1.0', version: 6 });
    const second = {
      ...stepOf([late], { transitions: [gives(2)] }),
      plan: { step: 1, block: 0, passes: [late] },
    };
    expect(broken(start, [early, second])).toEqual(['D7 visible-unreported 1 1']);
  });

  it('is named by law, step and position', () => {
    const found = { law: 'D4', clause: 'budget', step: 3, position: 7, message: 'so it is' } as const;
    expect(describeViolation(found)).toBe('law D4, step 3, position 7: so it is');
    expect(describeViolation({ ...found, position: 0 })).toBe('law D4, step 3, position 0: so it is');
    expect(describeViolation({ ...found, position: null })).toBe('law D4, step 3: so it is');
  });
});

describe('a step of several', () => {
  const groups = [5, 6, 8].map(
    (version): RowGroup => ({ kind: 'denoise', version, rows: 1, sees: [], visibility: 'all' }),
  );
  const pass = passOf([1, 2, 3], { visibility: { groups } });
  const changes = [gives(1), gives(2), gives(3), gives(4)];
  const kv = (version: number) => ({ position: 0, version, token: 3, residency: 'long-term' as const });
  const whole = stepOf(
    [pass],
    {
      accepted: [
        { group: 0, transitions: 1 },
        { group: 2, transitions: 1 },
      ],
      transitions: changes,
      kvWrites: [kv(8), kv(5), kv(6)],
      draftWrites: [{ position: 4, draft: null }],
    },
    2,
  );

  it('is the accepted groups, each with its own pass, outcome, changes and KV', () => {
    const [first, second, ...none] = logicalSteps(whole);
    expect(none).toEqual([]);
    expect(first).toMatchObject({
      plan: { step: 0, block: 2, passes: [{ id: '0.0', version: 5, rows: [{ position: 1 }] }] },
      outcomes: [{ passId: '0.0', rows: [{ position: 1 }] }],
      ...{
        transitions: [changes[0]],
        kvWrites: [kv(5)],
        draftWrites: [],
        accepted: [],
        landed: [],
        dropped: [],
      },
    });
    // What is left goes with the last: changes, drafts, and KV that no group computed.
    expect(second).toMatchObject({
      plan: { step: 0, block: -1, passes: [{ id: '0.0/2', version: 8, rows: [{ position: 3 }] }] },
      outcomes: [{ passId: '0.0/2', rows: [{ position: 3 }] }],
      ...{ transitions: changes.slice(1), kvWrites: [kv(8), kv(6)], draftWrites: whole.draftWrites },
    });
  });

  it('is itself without groups, without a pass, and has none that is not there', () => {
    const plain = { ...whole, accepted: [] };
    expect(logicalSteps(plain)).toEqual([plain]);
    const empty = { ...whole, plan: { ...whole.plan, passes: [] } };
    expect(logicalSteps(empty)).toEqual([empty]);
    expect(logicalSteps({ ...whole, accepted: [{ group: 9, transitions: 0 }] })).toEqual([]);
    expect(logicalSteps({ ...whole, outcomes: [] }).map(({ outcomes }) => outcomes[0].rows)).toEqual([
      [],
      [],
    ]);
  });
});
