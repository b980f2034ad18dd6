import { describe, expect, it } from 'vitest';
import { broken as brokenBy, END, MASK, OTHER_END, type Scene } from './support/one-change.js';

/** Clauses broken when the last position of the answer is given up as behind the end of the text. */
const broken = (scene: Scene) =>
  brokenBy({ ...scene, change: { to: 'S', token: END, reason: 'stop', ...scene.change } });

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

  it('not for an end token that an undecided position holds', () => {
    expect(broken({ answer: [END, 3, MASK, MASK], states: ['IV', 'S', 'IV', 'IV'], block: -1 })).toContain(
      STOP,
    );
  });

  it('not in the block of the end itself, nor while that block is open', () => {
    expect(broken({ answer: [3, 4, END, MASK] })).toContain(STOP);
    expect(broken({ answer: [MASK, END, MASK, MASK] })).toContain(STOP);
    expect(broken({ answer: [3, END, MASK, MASK], block: 1 })).toContain(STOP);
  });

  it('not as something less than stable', () => {
    expect(broken({ answer: [3, END, MASK, MASK], change: { to: 'V' } })).toContain(STOP);
  });
});
