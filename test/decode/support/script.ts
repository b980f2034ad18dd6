import type { ApplyResult, Canvas, StartExtra } from '../../../src/decode/canvas/types.js';
import { composePolicy, type DecodingPolicy, type PolicyInputs } from '../../../src/decode/method/compose.js';
import type { PolicySpecInput } from '../../../src/decode/spec.js';
import type { PassOutcome, RowOutcome, StepPlan } from '../../../src/pass/pass.js';

export const MASK = 99;

/** Steps a policy by hand: each step's logits are given as position -> [token, confidence, the best beside what it excludes]. */
export class Script {
  canvas: Canvas;
  readonly policy: DecodingPolicy;
  plan: StepPlan | null;

  constructor(
    spec: PolicySpecInput,
    promptLength: number,
    genLength: number,
    inputs: PolicyInputs = {},
    extra: StartExtra = {},
  ) {
    this.policy = composePolicy(spec, inputs);
    const prompt = Array.from({ length: promptLength }, () => 1);
    this.canvas = this.policy.start(prompt, genLength, MASK, extra);
    this.plan = this.policy.plan(this.canvas);
  }

  /** Rows of the main pass as position:feed. */
  get rows(): string[] {
    return (this.plan?.passes[0].rows ?? []).map(
      ({ position, feed }) => `${position}:${feed === MASK ? '_' : feed}`,
    );
  }

  get kind(): string | undefined {
    return this.plan?.passes[0].kind;
  }

  /** States of the generated positions, e.g. `S V IV M`. */
  get states(): string {
    return this.canvas.positions
      .slice(this.canvas.promptLength)
      .map(({ state }) => state)
      .join(' ');
  }

  /** Runs the next step. Rows without an entry get token 0 at confidence 0.01. */
  step(
    said: Record<number, readonly [token: number, confidence: number, instead?: number]> = {},
    landed: readonly PassOutcome[] = [],
  ): ApplyResult {
    if (this.plan === null) throw new Error('the script is finished');
    const [main] = this.plan.passes;
    const rows = main.logits.map((row): RowOutcome => {
      const { position } = main.rows[row];
      const [token, confidence, instead] = said[position] ?? [0, 0.01];
      return { position, token, confidence, instead };
    });
    const result = this.policy.apply(this.canvas, this.plan, { passId: main.id, rows }, landed);
    this.canvas = result.canvas;
    this.plan = this.policy.plan(this.canvas);
    return result;
  }

  /** Outcome of a side pass of the current plan. */
  side(index: number, said: Record<number, readonly [token: number, confidence: number]>): PassOutcome {
    const pass = this.plan?.passes[index];
    if (pass === undefined) throw new Error(`no pass ${index}`);
    return {
      passId: pass.id,
      rows: pass.logits.map((row) => {
        const { position } = pass.rows[row];
        const [token, confidence] = said[position] ?? [0, 0.01];
        return { position, token, confidence };
      }),
    };
  }
}
