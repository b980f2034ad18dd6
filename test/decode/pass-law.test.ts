import { describe, expect, it } from 'vitest';
import type { Canvas, Position } from '../../src/decode/canvas/types.js';
import { checkPass } from '../../src/decode/laws/pass.js';
import { TrackedCanvas } from '../../src/decode/laws/tracked.js';
import type { LawPart } from '../../src/decode/rules/law-parts.js';
import type { Pass, RowGroup } from '../../src/pass/pass.js';
import { canvasOf, MASK, passOf } from './support/one-record.js';

function judged(start: Canvas, pass: Pass, givenUp: readonly LawPart[] = []) {
  const canvas = new TrackedCanvas(start, new Set(givenUp), { attention: 'bidirectional' });
  checkPass(canvas, pass);
  return canvas.violations;
}
const broken = (...args: Parameters<typeof judged>): string[] =>
  judged(...args).map(({ clause, position }) => `${clause}@${position ?? ''}`);

const entry = (position: number, version: number): Partial<Position> => ({
  kv: { position, version, token: 3, residency: 'long-term' },
});
const group = (rows: number, version: number, visibility: RowGroup['visibility'] = 'all'): RowGroup => ({
  ...{ kind: 'denoise', version, rows, sees: [], visibility },
});

describe('what a pass reads', () => {
  const cached = canvasOf(['S', 'IV', 'M', 'M'], { 0: entry(0, 0), 1: entry(1, 2), 2: entry(2, 2) });
  const reads = (position: number, version: number) => passOf([3, 4], { reads: [{ position, version }] });

  it('are the entries at the start of the step, and it says which it has', () => {
    expect(broken(cached, reads(1, 2))).toEqual([]);
    expect(judged(cached, reads(1, 3))).toMatchObject([
      { clause: 'snapshot-read', position: 1, message: 'pass 0.0 reads version 3, the snapshot has 2' },
    ]);
    expect(judged(cached, reads(0, 1))[0].message).toBe('pass 0.0 reads version 1, the snapshot has 0');
    expect(judged(cached, reads(4, 1))[0].message).toBe('pass 0.0 reads version 1, the snapshot has none');
  });

  it('is none of an undecided position, unless the policy caches masks', () => {
    expect(broken(cached, reads(2, 2))).toEqual(['masked-read@2']);
    expect(broken(cached, reads(2, 2), ['B2-masked-kv'])).toEqual([]);
  });

  it('is nothing that it computes, in its own rows', () => {
    const own = passOf([[1, 3], 3], { reads: [{ position: 1, version: 2 }] });
    expect(broken(cached, own)).toEqual(['own-read@1']);
    // A shadow row re-predicts a position that is cached.
    const shadows = passOf([3, 1], {
      reads: [{ position: 1, version: 2 }],
      visibility: { groups: [group(1, 5), group(1, 6, 'shadow')] },
    });
    expect(broken(cached, shadows)).toEqual([]);
  });
});

describe('what a row is fed', () => {
  const draft = { token: 6, confidence: 1, step: 0 };
  const canvas = canvasOf(['V', 'IV', 'M', 'M'], { 2: { draft } });
  const fed = (position: number, feed: number, pass: Partial<Pass> = {}, givenUp: readonly LawPart[] = []) =>
    broken(canvas, passOf([[position, feed]], { logits: [], ...pass }), givenUp);

  it('is its token where it is stable', () => {
    expect([fed(0, 3), fed(0, 4), fed(0, MASK)]).toEqual([[], ['stable-fed@0'], ['stable-fed@0']]);
  });

  it('is its token where it is visible, or the mask where it is scored unseen: by the policy, or in a refresh beside', () => {
    expect([fed(1, 3), fed(1, 4), fed(1, MASK)]).toEqual([[], ['visible-fed@1'], ['visible-fed@1']]);
    expect([fed(1, MASK, {}, ['V-context']), fed(1, 4, {}, ['V-context'])]).toEqual([[], ['visible-fed@1']]);
    expect(fed(1, MASK, { kind: 'refresh', lane: 'side' })).toEqual([]);
    expect(fed(1, 4, { kind: 'refresh', lane: 'side' })).toEqual(['visible-fed@1']);
    expect(fed(1, MASK, { kind: 'refresh' })).toEqual(['visible-fed@1']);
    expect(fed(1, MASK, { kind: 'denoise', lane: 'side' })).toEqual(['visible-fed@1']);
  });

  it('is the mask or its draft where it is undecided', () => {
    expect([fed(2, MASK), fed(2, 6), fed(2, 5)]).toEqual([[], [], ['undecided-fed@2']]);
    expect([fed(3, MASK), fed(3, 6)]).toEqual([[], ['undecided-fed@3']]);
  });

  it('is the mask in a shadow row', () => {
    const shadows = (feed: number) =>
      passOf([2, [1, feed]], { visibility: { groups: [group(1, 5), group(1, 6, 'shadow')] } });
    expect(broken(canvas, shadows(MASK))).toEqual([]);
    expect(broken(canvas, shadows(3))).toEqual(['shadow-fed@']);
  });
});

describe('rows that guide', () => {
  const canvas = canvasOf(['V', 'IV', 'M', 'M']);
  const guided = (copy: Parameters<typeof passOf>[0]) => {
    const rows = [[0, 3], [1, 3], 2] as const;
    const groups = [group(3, 5), group(copy.length, 6)];
    return broken(canvas, passOf([...rows, ...copy], { guidance: 1.5, visibility: { groups } }));
  };

  it('are those of the pass with the prompt masked', () => {
    expect(guided([0, [1, 3], 2])).toEqual([]);
    for (const copy of [
      // The prompt unmasked; another feed; other positions; a row less, a row more, none.
      [[0, 3], [1, 3], 2],
      [0, 1, 2],
      [0, [1, 3], [2, 6]],
      [0, [2, 3], 2],
      [1, [0, 3], 2],
      [0, [1, 3], 3],
      [0, [1, 3]],
      [0, [1, 3], 2, 3],
      [],
    ] as const)
      expect(guided(copy), JSON.stringify(copy)).toEqual(['guidance-copy@']);
  });
});

describe('what a refresh scores', () => {
  const canvas = canvasOf(['V', 'V', 'S', 'IV'], { 1: entry(1, 2), 3: entry(3, 2), 4: entry(4, 2) });
  const refreshed = (
    position: number,
    lane: Pass['lane'] = 'side',
    givenUp: readonly LawPart[] = [],
    kind: Pass['kind'] = 'refresh',
  ) => {
    const { state, token } = canvas.positions[position];
    const pass = passOf([[position, state === 'IV' ? MASK : token]], { kind, lane });
    return broken(canvas, pass, givenUp);
  };

  it('is a visible position of the prefix', () => {
    expect([refreshed(1), refreshed(1, 'main')]).toEqual([[], []]);
    // Visible, but not cached.
    expect([refreshed(2), refreshed(2, 'main')]).toEqual([['refresh-target@2'], ['refresh-target@2']]);
    expect([refreshed(3), refreshed(4)]).toEqual([['refresh-target@3'], ['refresh-target@4']]);
  });

  it('or a stable one beside the main pass, where the policy computes KV anew', () => {
    expect(refreshed(3, 'side', ['D1-kv'])).toEqual([]);
    expect(refreshed(3, 'main', ['D1-kv'])).toEqual(['refresh-target@3']);
    expect(refreshed(4, 'side', ['D1-kv'])).toEqual(['refresh-target@4']);
    expect(refreshed(2, 'side', ['D1-kv'])).toEqual(['refresh-target@2']);
  });

  it('is asked of no other pass, and of no row that rides along', () => {
    expect(refreshed(3, 'main', [], 'denoise')).toEqual([]);
    const along = passOf([[1, 3], 4], { kind: 'refresh', lane: 'side', logits: [0] });
    expect(broken(canvas, along)).toEqual([]);
  });
});
