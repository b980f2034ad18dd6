import { describe, expect, it } from 'vitest';
import type { Transition } from '../../src/decode/canvas/types.js';
import type { Clause } from '../../src/decode/laws/law.js';
import type { StepView, TrackedCanvas } from '../../src/decode/laws/tracked.js';
import { checkTransition } from '../../src/decode/laws/transition.js';

const END = 7;
const OTHER_END = 8;
const MASK = 9;

interface Case {
  /** Tokens of the answer, in blocks of two; the mask where undecided. The prompt is [END, 1]. */
  readonly answer: readonly number[];
  /** First positions of the answer that were given. */
  readonly given?: number;
  /** Block that the step worked on, and the one that is open after it. */
  readonly block?: number;
  readonly open?: number;
  readonly change?: Partial<Transition>;
}

/** Clauses broken when the last position of the answer is given up as behind the end of the text. */
function broken({ answer, given = 0, block = 0, open = 1, change = {} }: Case): Clause[] {
  const found: Clause[] = [];
  const positions = [END, 1, ...answer].map((token) => ({
    ...{ state: token === MASK ? 'M' : 'S', token, draft: null, kv: null, confidence: 0 },
  }));
  const start = { promptLength: 2, given, endIds: [END, OTHER_END], maskId: MASK, blockLength: 2 };
  const canvas = {
    ...{ start, positions, givenUp: new Set() },
    at: (position: number) => positions[position],
    openBlock: () => open,
    fault: (clause: Clause) => found.push(clause),
  } as unknown as TrackedCanvas;
  const position = positions.length - 1;
  const stop = { position, from: 'M', to: 'S', token: END, tokenBefore: MASK, confidence: 1, reason: 'stop' };
  const view = { block, main: {}, outcome: undefined, landed: new Map() } as unknown as StepView;
  checkTransition(canvas, { ...stop, ...change } as Transition, view);
  return found;
}

const STOP = 'stop-without-end';

describe('the rest of an answer is given up', () => {
  it('behind an end token of an earlier block, when that block is finished', () => {
    expect(broken({ answer: [3, END, MASK, MASK] })).toEqual([]);
    expect(broken({ answer: [END, 3, MASK, MASK] })).toEqual([]);
    expect(broken({ answer: [3, OTHER_END, MASK, MASK], change: { token: OTHER_END } })).toEqual([]);
  });

  it('not without an end: in the prompt, in what was given, or of another kind it is none', () => {
    expect(broken({ answer: [3, 4, MASK, MASK] })).toContain(STOP);
    expect(broken({ answer: [END, 3, MASK, MASK], given: 1 })).toContain(STOP);
    expect(broken({ answer: [3, END, MASK, MASK], given: 1 })).not.toContain(STOP);
    expect(broken({ answer: [3, OTHER_END, MASK, MASK] })).toContain(STOP);
    expect(broken({ answer: [3, 4, MASK, MASK], change: { token: 4 } })).toContain(STOP);
  });

  it('not in the block of the end itself, nor while that block is open', () => {
    expect(broken({ answer: [3, 4, END, MASK] })).toContain(STOP);
    expect(broken({ answer: [3, END, MASK, MASK], open: 0 })).toContain(STOP);
    expect(broken({ answer: [3, END, MASK, MASK], block: 1, open: 1 })).toContain(STOP);
  });

  it('not as something less than stable', () => {
    expect(broken({ answer: [3, END, MASK, MASK], change: { to: 'V' } })).toContain(STOP);
  });
});
