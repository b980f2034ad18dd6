import { describe, expect, it } from 'vitest';
import { policySpecByName } from '../../src/decode/policies.js';
import { type PolicySpecInput, parsePolicySpec } from '../../src/decode/spec.js';
import { MASK, Script } from './support/script.js';

const [DELETE, SPLIT] = [2, 3];
const spec = (blockLength: number, commit: object = {}): PolicySpecInput => ({
  ...policySpecByName('joint-threshold'),
  blockLength,
  commit: { kind: 'indel', deleteId: DELETE, splitId: SPLIT, ...commit },
});
const textOf = ({ canvas }: Script, from = canvas.promptLength): string =>
  canvas.positions
    .slice(from)
    .map(({ token }) => (token === MASK ? '_' : String(token)))
    .join(' ');
const excludes = ({ plan }: Script) =>
  Object.fromEntries(
    (plan?.passes[0].rows ?? []).flatMap((row) =>
      row.excludes === undefined ? [] : [[row.position, row.excludes]],
    ),
  );

/** Worked by hand; the first is a case of SGLang's own tests of joint_threshold_indel. */
describe('indel', () => {
  it('obeys its orders: SPLIT puts a mask before what was there, DELETE takes a position away', () => {
    const script = new Script(spec(5), 6, 4);
    script.step();
    // A block of one prompt token and four masks: SPLIT, DELETE, 7, 8.
    const { transitions } = script.step({ 6: [SPLIT, 0.9], 7: [DELETE, 0.9], 8: [7, 0.9], 9: [8, 0.9] });
    expect(textOf(script)).toBe('_ _ 7 8');
    expect(script.canvas.edited?.original).toEqual([7]);
    expect(transitions.filter(({ reason }) => reason === 'shift').map(({ position }) => position)).toEqual([
      6, 7,
    ]);
    // One original mask and a new one: two are filled, the sure ones or not.
    script.step({ 6: [4, 0.2], 7: [5, 0.1], 8: [7, 0.9], 9: [8, 0.9] });
    expect(textOf(script)).toBe('4 5 7 8');
    expect(script.states).toBe('V V V V');
    // Nothing changes: the block is finished.
    script.step({ 6: [4, 0.9], 7: [5, 0.9], 8: [7, 0.9], 9: [8, 0.9] });
    expect(script.states).toBe('S S S S');
    expect(script.plan).toBeNull();
  });

  it('moves what is right of a deleted token left, and what is right of a split one out of the block', () => {
    const script = new Script(spec(4), 4, 4);
    script.step();
    script.step({ 4: [4, 0.9], 5: [5, 0.9], 6: [6, 0.9], 7: [7, 0.9] });
    script.step({ 4: [4, 0.9], 5: [DELETE, 0.8], 6: [6, 0.9], 7: [7, 0.9] });
    expect(textOf(script)).toBe('4 6 7 _');
    expect(script.states).toBe('V V V IV');
    script.step({ 4: [SPLIT, 0.8], 5: [6, 0.9], 6: [7, 0.9], 7: [8, 0.9] });
    expect(textOf(script)).toBe('_ 4 6 7');
  });

  it('leaves a state that comes back at the least sure position, by a token that was not tried there', () => {
    const script = new Script(spec(2), 2, 2);
    script.step();
    script.step({ 2: [4, 0.9], 3: [5, 0.9] });
    script.step({ 2: [6, 0.9], 3: [5, 0.9] });
    expect(excludes(script)).toEqual({});
    script.step({ 2: [4, 0.9], 3: [5, 0.9] });
    // 4 5 again: 4 and 6 were written at position 2, 5 at position 3.
    expect(textOf(script)).toBe('4 5');
    expect(excludes(script)).toEqual({ 2: [4, 6], 3: [5] });
    script.step({ 2: [6, 0.7, 8], 3: [7, 0.9, 7] });
    expect(textOf(script)).toBe('8 7');
  });

  it('takes no orders in its last pass, and fills everything', () => {
    const script = new Script(spec(3, { edits: 1 }), 3, 3);
    script.step();
    script.step({ 3: [4, 0.9], 4: [5, 0.9], 5: [6, 0.9] });
    script.step({ 3: [DELETE, 0.9], 4: [5, 0.9], 5: [6, 0.9] });
    expect(textOf(script)).toBe('5 6 _');
    expect(excludes(script)).toEqual({ 3: [DELETE, SPLIT], 4: [DELETE, SPLIT], 5: [DELETE, SPLIT] });
    script.step({ 3: [SPLIT, 0.9, 5], 4: [6, 0.9, 6], 5: [DELETE, 0.3, 7] });
    expect(textOf(script)).toBe('5 6 7');
    expect(script.states).toBe('S S S');
  });

  it('is refused where tokens could not move', () => {
    expect(() => parsePolicySpec(spec(4, { splitId: DELETE }))).toThrow(/two different tokens/);
    expect(() => parsePolicySpec({ ...spec(4), speculate: { kind: 'exact' } })).toThrow(
      /commit indel moves tokens in its block: speculate none/,
    );
    expect(() => parsePolicySpec({ ...spec(4), commit: { kind: 'indel' } as never })).toThrow(/deleteId/);
  });
});
