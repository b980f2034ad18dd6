import { describe, expect, it } from 'vitest';
import type { Canvas, Steps } from '../../src/decode/canvas/types.js';
import { composePolicy } from '../../src/decode/method/compose.js';
import { policySpecByName } from '../../src/decode/policies.js';
import { speculateOn } from '../../src/decode/rules/speculate/draft-states.js';
import type { StepPlan } from '../../src/pass/pass.js';

describe('a drafted state', () => {
  const options = { tile: 32, extraTiles: 0, drafts: 'chain', joinCertain: true, slack: 0 } as const;
  const policy = composePolicy({
    ...policySpecByName('block-kv'),
    blockLength: 2,
    speculate: { kind: 'none' },
    sampling: { kind: 'gumbel', temperature: 1 },
  });

  /** A method whose second pass is drawn with the number given, whatever the canvas. */
  const method = (draw: (canvas: Canvas) => number): Steps => ({
    plan(canvas): StepPlan | null {
      const plan = policy.plan(canvas);
      if (plan === null) return null;
      const [main] = plan.passes;
      return {
        ...plan,
        passes: [{ ...main, rows: main.rows.map((row) => ({ ...row, draw: draw(canvas) })) }],
      };
    },
    apply: policy.apply,
  });

  const accepted = (draw: (canvas: Canvas, planned: boolean) => number): number => {
    let planning = true;
    const steps = speculateOn(
      method((canvas) => draw(canvas, planning)),
      options,
      null,
    );
    const canvas = policy.start([1], 4, 9);
    const plan = steps.plan(canvas);
    if (plan === null) throw new Error('nothing to do');
    planning = false;
    const [main] = plan.passes;
    const rows = main.logits.map((row) => ({ position: main.rows[row].position, token: 1, confidence: 0.5 }));
    return steps.apply(canvas, plan, { passId: main.id, rows }, []).accepted.length;
  };

  it('is taken when the method would compute the same, and not when its rows would be drawn anew', () => {
    expect(accepted(() => 7)).toBe(2);
    expect(accepted((_, planned) => (planned ? 7 : 8))).toBe(1);
  });
});
