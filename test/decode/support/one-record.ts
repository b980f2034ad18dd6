import type { Canvas, Position } from '../../../src/decode/canvas/types.js';
import type { CheckedStep, Trained } from '../../../src/decode/laws/law.js';
import { StepChecker } from '../../../src/decode/laws/step.js';
import type { LawPart } from '../../../src/decode/rules/law-parts.js';
import type { Pass, PassOutcome } from '../../../src/pass/pass.js';

export const MASK = 9;
/** What every row says unless it is told otherwise. */
export const SAID = { token: 4, confidence: 0.5 } as const;

/** A prompt of one token, then two blocks of two: `S`, `V`, `IV`, `M`; token 3 where one stands. */
export function canvasOf(
  states: readonly Position['state'][],
  change: Readonly<Record<number, Partial<Position>>> = {},
  whole: Partial<Canvas> = {},
): Canvas {
  const positions = (['S', ...states] as const).map(
    (state, at): Position => ({
      ...{ state, token: state === 'S' || state === 'V' ? 3 : MASK, confidence: 0, kv: null, draft: null },
      ...change[at],
    }),
  );
  return {
    ...{ promptLength: 1, genLength: states.length, blockLength: 2, blockOrigin: 1, maskId: MASK },
    ...{ endIds: [7], given: 0, positions },
    ...whole,
  } as unknown as Canvas;
}

/** A pass over positions, each fed the mask unless a pair says what. */
export function passOf(
  rows: readonly (number | readonly [position: number, feed: number])[],
  change: Partial<Pass> = {},
): Pass {
  const own = rows.map((row) =>
    typeof row === 'number' ? { position: row, feed: MASK } : { position: row[0], feed: row[1] },
  );
  return {
    ...{ id: '0.0', kind: 'denoise', lane: 'main', version: 5, reads: [], visibility: 'all' },
    rows: own,
    logits: own.map((_, row) => row),
    ...change,
  } as Pass;
}

/** What a pass says: the same in every row. */
export const outcomeOf = ({ id, rows, logits }: Pass): PassOutcome => ({
  passId: id,
  rows: logits.map((row) => ({ position: rows[row]?.position ?? -1, ...SAID })),
});

/** A step of passes, with the outcome of each. */
export function stepOf(passes: readonly Pass[], change: Partial<CheckedStep> = {}, block = 0): CheckedStep {
  return {
    ...{ plan: { step: 0, block, passes }, outcomes: passes.map(outcomeOf), landed: [], transitions: [] },
    ...{ dropped: [], accepted: [], kvWrites: [], draftWrites: [] },
    ...change,
  };
}

interface Judged {
  readonly givenUp?: readonly LawPart[];
  readonly trained?: Trained;
  /** Steps before it, which must be sound. */
  readonly after?: readonly CheckedStep[];
}

/** What a step breaks, as `clause@position`, and what was said of it. */
export function judgedStep(
  canvas: Canvas,
  step: CheckedStep,
  { givenUp = [], trained = { attention: 'bidirectional' }, after = [] }: Judged = {},
): { readonly broken: string[]; readonly said: string } {
  const checker = new StepChecker(canvas, new Set(givenUp), trained);
  for (const [at, one] of after.entries()) checker.check(one, at);
  const before = checker.violations.length;
  if (before > 0) throw new Error(`not sound: ${checker.violations[0].message}`);
  checker.checkWhole(step, after.length);
  checker.check(step, after.length);
  return {
    broken: checker.violations.map(({ clause, position }) => `${clause}@${position ?? ''}`),
    said: checker.violations.map(({ message }) => message).join('; '),
  };
}

/** What a step breaks. */
export const brokenBy = (...args: Parameters<typeof judgedStep>): string[] => judgedStep(...args).broken;
