import { describe, expect, it } from 'vitest';
import type { KvEntry, Transition } from '../../src/decode/canvas/types.js';
import type { Pass, RowGroup } from '../../src/pass/pass.js';
import {
  brokenBy,
  canvasOf,
  judgedStep,
  MASK,
  outcomeOf,
  passOf,
  SAID,
  stepOf,
} from './support/one-record.js';

/** Two blocks of masks, the first in the window. */
const open = canvasOf(['IV', 'IV', 'M', 'M']);
const denoise = passOf([1, 2]);
const gives = (position: number, change: Partial<Transition> = {}): Transition => ({
  ...{ position, from: 'IV', to: 'S', tokenBefore: MASK, ...SAID, reason: 'commit' },
  ...change,
});
const written = (position: number, change: Partial<KvEntry> = {}): KvEntry => ({
  ...{ position, version: 5, token: 3, residency: 'long-term' },
  ...change,
});
const entry = (position: number, change: Partial<KvEntry> = {}) => ({
  kv: written(position, { version: 1, ...change }),
});

describe('a step', () => {
  it('is sound where it gives a token that its logits say', () => {
    expect(brokenBy(open, stepOf([denoise], { transitions: [gives(1)] }))).toEqual([]);
  });

  it('has the number of its place', () => {
    const first = stepOf([denoise], { transitions: [gives(1)] });
    const second = (step: number) => ({
      ...stepOf([passOf([[1, 4], 2], { id: '1.0', version: 6 })], { transitions: [gives(2)] }),
      plan: { step, block: 0, passes: [passOf([[1, 4], 2], { id: '1.0', version: 6 })] },
    });
    expect(brokenBy(open, second(1), { after: [first] })).toEqual([]);
    expect(brokenBy(open, second(0), { after: [first] })).toEqual(['step-number@']);
    expect(brokenBy(open, second(2), { after: [first] })).toEqual(['step-number@']);
  });

  it('works on the open block: the first too, when it is finished', () => {
    const later = canvasOf(['S', 'S', 'IV', 'IV']);
    const step = (block: number) => stepOf([passOf([3, 4])], { transitions: [gives(3)] }, block);
    expect(brokenBy(later, step(1))).toEqual([]);
    expect(brokenBy(later, step(0))).toEqual(['plan-block@']);
    expect(brokenBy(later, step(2))).toEqual(['plan-block@']);
    // A further step of one forward has no plan of its own.
    expect(brokenBy(later, step(-1))).toEqual([]);
  });

  it('has one main pass, which comes first', () => {
    const side = passOf([[1, 3]], { id: '0.1', lane: 'side', version: 6 });
    const two = (...passes: Pass[]) => brokenBy(open, stepOf(passes, { transitions: [gives(1)] }));
    expect(two()).toEqual(['main-pass@']);
    expect(two(side)).toEqual(['main-pass@']);
    expect(two(denoise, { ...denoise, id: '0.1', version: 6 })).toEqual(['main-pass@']);
    expect(two(side, denoise)).toEqual(['main-pass@']);
  });

  it('gives a token or makes KV durable, unless it sweeps or the policy gives that up', () => {
    expect(brokenBy(open, stepOf([denoise]))).toEqual(['progress@']);
    expect(brokenBy(open, stepOf([denoise]), { givenUp: ['D4-every-step'] })).toEqual([]);
    const seal = passOf([[0, 3]], { kind: 'seal', logits: [] });
    expect(brokenBy(open, stepOf([seal]))).toEqual(['progress@']);
    expect(brokenBy(open, stepOf([seal], { kvWrites: [written(0)] }))).toEqual([]);
    // Nothing is left to be given after the last block.
    const done = canvasOf(['S', 'V', 'S', 'S'], { 2: entry(2, { residency: 'mutable' }) });
    const sweep = passOf([[2, 3]], { kind: 'refresh' });
    expect(brokenBy(done, stepOf([sweep], {}, 2))).toEqual([]);
  });

  it('counts what it takes back', () => {
    const visible = canvasOf(['V', 'IV', 'M', 'M']);
    const back = gives(1, { from: 'V', to: 'IV', tokenBefore: 3, token: MASK, reason: 'revise' });
    const step = stepOf([passOf([[1, 3], 2])], { transitions: [gives(2), back] });
    expect(brokenBy(visible, step)).toEqual(['progress@']);
  });
});

describe('an outcome', () => {
  const step = (change: Partial<ReturnType<typeof stepOf>>) =>
    judgedStep(open, stepOf([denoise], { transitions: [gives(1)], ...change }));

  it('belongs to its pass', () => {
    expect(step({ outcomes: [] }).broken).toContain('outcome-missing@');
    expect(step({ outcomes: [{ passId: '9.9', rows: [] }] }).broken).toContain('outcome-missing@');
  });

  it('is of the rows that were asked for, in their order, and of no other', () => {
    const { rows } = outcomeOf(denoise);
    const said = (...of: typeof rows) => step({ outcomes: [{ passId: '0.0', rows: of }] });
    expect(said(...rows).broken).toEqual([]);
    expect(said(rows[0]).broken).toEqual(['outcome-rows@2']);
    expect(said(rows[1], rows[0]).broken).toEqual(['outcome-rows@1']);
    expect(said(...rows, { position: 3, ...SAID }).broken).toContain('outcome-rows@3');
    expect(said(rows[0]).said).toBe('pass 0.0 has logits for 2 rows, and its outcome is of 1, or of others');
  });

  it('is had by a row that is there', () => {
    const beyond = { ...denoise, logits: [0, 1, 7] };
    expect(brokenBy(open, stepOf([beyond], { transitions: [gives(1)] }))).toContain('outcome-rows@');
  });
});

describe('an invisible position', () => {
  const half = (logits: number[]) =>
    brokenBy(open, stepOf([{ ...denoise, logits }], { transitions: [gives(1)] }));

  it('has logits in a pass that denoises', () => {
    expect(half([0])).toEqual(['invisible-unscored@2']);
    expect(half([1])).toEqual(['invisible-unscored@1', 'committed-unscored@1']);
    const seal = passOf([[0, 3]], { kind: 'seal', logits: [] });
    expect(brokenBy(open, stepOf([seal], { kvWrites: [written(0)] }))).toEqual([]);
  });

  it('has them in its own rows: those that guide it say nothing of it', () => {
    const groups = [5, 6].map(
      (version): RowGroup => ({ kind: 'denoise', version, rows: 2, sees: [], visibility: 'all' }),
    );
    const guided = (logits: number[]) =>
      brokenBy(
        open,
        stepOf([passOf([1, 2, 1, 2], { visibility: { groups }, guidance: 1, logits })], {
          transitions: [gives(2)],
        }),
      );
    expect(guided([0, 1, 2, 3])).toEqual([]);
    // The first row of the copy is about the first position too.
    expect(guided([1, 2, 3])).toEqual(['invisible-unscored@1']);
    expect(guided([0, 2, 3])).toContain('invisible-unscored@2');
  });
});

describe('a draft', () => {
  it('is held by no decided position', () => {
    const draft = { token: 1, confidence: 1, step: 0 };
    const noted = (position: number, held: typeof draft | null = draft) =>
      brokenBy(
        open,
        stepOf([denoise], { transitions: [gives(1)], draftWrites: [{ position, draft: held }] }),
      );
    expect(noted(1)).toEqual(['decided-draft@1']);
    expect(noted(0)).toEqual(['decided-draft@0']);
    expect(noted(2)).toEqual([]);
    expect(noted(1, null)).toEqual([]);
  });

  it('that was noted may be fed in the next step', () => {
    const first = stepOf([denoise], {
      transitions: [gives(1)],
      draftWrites: [{ position: 2, draft: { token: 6, confidence: 1, step: 0 } }],
    });
    const next = (feed: number) => {
      const pass = passOf(
        [
          [1, 4],
          [2, feed],
        ],
        { id: '1.0', version: 6 },
      );
      const step = {
        ...stepOf([pass], { transitions: [gives(2)] }),
        plan: { step: 1, block: 0, passes: [pass] },
      };
      return brokenBy(open, step, { after: [first] });
    };
    expect(next(6)).toEqual([]);
    expect(next(MASK)).toEqual([]);
    expect(next(5)).toEqual(['undecided-fed@2']);
  });
});

describe('durable KV', () => {
  const sealed = canvasOf(['S', 'S', 'IV', 'IV']);
  const seal = (change: Partial<KvEntry>, pass: Partial<Pass> = {}, canvas = sealed) =>
    brokenBy(
      canvas,
      stepOf(
        [
          passOf(
            [
              [1, 3],
              [2, 3],
            ],
            { kind: 'seal', logits: [], ...pass },
          ),
        ],
        { kvWrites: [written(1, change)] },
        1,
      ),
    );

  it('was computed by a row of that version, fed that token', () => {
    expect(seal({})).toEqual([]);
    expect(seal({ version: 4 })).toEqual(['kv-uncomputed@1']);
    expect(seal({ position: 3 })).toEqual(['kv-uncomputed@3', 'masked-kv@3', 'long-term-state@3']);
    expect(seal({ token: 4 })).toEqual(['kv-uncomputed@1', 'long-term-token@1']);
  });

  it('was not computed with the adapter for drafts', () => {
    expect(seal({}, { adapter: true })).toEqual(['adapter-kv@1']);
  });

  it('is of its residency: long-term where the position is stable, and of its own token', () => {
    expect(seal({ residency: 'mutable' })).toEqual(['mutable-state@1']);
    const visible = canvasOf(['V', 'S', 'IV', 'IV']);
    expect(seal({}, {}, visible)).toEqual(['long-term-state@1']);
    expect(seal({ residency: 'mutable' }, {}, visible)).toEqual([]);
    const renamed = canvasOf(['S', 'S', 'IV', 'IV'], { 1: { token: 6 } });
    const stale = stepOf([passOf([[1, 3]], { kind: 'seal', logits: [] })], { kvWrites: [written(1)] }, 1);
    expect(brokenBy(renamed, stale)).toEqual(['stable-fed@1', 'long-term-token@1']);
    expect(brokenBy(renamed, stale, { givenUp: ['D2-exact-kv'] })).toEqual(['stable-fed@1']);
    // A visible position may have KV of another token.
    const revised = canvasOf(['V', 'S', 'IV', 'IV'], { 1: { token: 6 } });
    const mutable = { kvWrites: [written(1, { residency: 'mutable' })] };
    expect(brokenBy(revised, { ...stale, ...mutable })).toEqual(['visible-fed@1']);
  });

  it('stays where the position was stable before, unless the policy computes it anew', () => {
    const cached = canvasOf(['S', 'S', 'IV', 'IV'], { 1: entry(1) });
    const again = stepOf([passOf([[1, 3]], { kind: 'seal', logits: [] })], { kvWrites: [written(1)] }, 1);
    expect(brokenBy(cached, again)).toEqual(['stable-kv@1']);
    expect(brokenBy(cached, again, { givenUp: ['D1-kv'] })).toEqual([]);
    // What becomes stable in this step may take its KV with it.
    const settling = canvasOf(['V', 'S', 'IV', 'IV'], { 1: entry(1, { residency: 'mutable' }) });
    const settled = gives(1, { from: 'V', tokenBefore: 3, token: 3, reason: 'stabilise' });
    const said = outcomeOf(passOf([[1, 3], 3, 4]));
    const step = stepOf(
      [passOf([[1, 3], 3, 4])],
      {
        outcomes: [{ ...said, rows: said.rows.map((row, at) => (at === 0 ? { ...row, token: 3 } : row)) }],
        transitions: [settled],
        kvWrites: [written(1)],
      },
      1,
    );
    expect(brokenBy(settling, step)).toEqual([]);
  });

  it('of an undecided position is none, unless the policy reads it', () => {
    const step = stepOf([denoise], {
      transitions: [gives(1)],
      kvWrites: [written(2, { token: MASK, residency: 'mutable' })],
    });
    expect(brokenBy(open, step)).toEqual(['masked-kv@2']);
    expect(brokenBy(open, step, { givenUp: ['B2-masked-kv'] })).toEqual([]);
  });
});

describe('a refresh beside the main pass', () => {
  const prefix = canvasOf(['V', 'V', 'IV', 'IV'], {
    1: entry(1, { residency: 'mutable' }),
    2: entry(2, { residency: 'mutable' }),
  });
  const main = passOf([3, 4]);
  const side = passOf(
    [
      [1, 3],
      [2, 3],
    ],
    { id: '0.1', kind: 'refresh', lane: 'side', version: 6 },
  );
  const renewed = (position: number, version = 6) => written(position, { version, residency: 'mutable' });
  const scored = (position: number): Transition => ({
    ...{ position, from: 'V', to: 'V', tokenBefore: 3, ...SAID, reason: 'refresh' },
  });
  const lands = (change: Partial<ReturnType<typeof stepOf>>, passes = [main, side]) =>
    brokenBy(prefix, stepOf(passes, { transitions: [gives(3)], ...change }, 1));

  it('lands at every position: scored anew, or with new KV of its own', () => {
    const both = {
      landed: ['0.1'],
      transitions: [gives(3), scored(1), scored(2)],
      kvWrites: [renewed(1), renewed(2)],
    };
    expect(lands(both)).toEqual([]);
    expect(lands({ ...both, transitions: [gives(3), scored(1)] })).toEqual([]);
    expect(lands({ ...both, kvWrites: [renewed(1)] })).toEqual([]);
    expect(lands({ ...both, transitions: [gives(3), scored(1)], kvWrites: [renewed(1)] })).toEqual([
      'landing-half@2',
    ]);
  });

  it('has not landed where another pass wrote, or another change was made', () => {
    const wide = passOf([3, 4, [2, 3]]);
    const landed = { landed: ['0.1'], kvWrites: [renewed(1), renewed(2, 5)] };
    const by = (reason: Transition['reason']): Transition => ({ ...scored(2), token: 3, reason });
    expect(lands({ ...landed, transitions: [gives(3), scored(1)] }, [wide, side])).toEqual([
      'landing-half@2',
    ]);
    expect(lands({ ...landed, transitions: [gives(3), scored(1), by('revise')] }, [wide, side])).toEqual([
      'landing-half@2',
    ]);
  });

  it('writes KV when it lands and not before; what was written stays what it was', () => {
    expect(lands({ kvWrites: [renewed(1)] })).toEqual(['kv-without-landing@1']);
    // The entry is there already: only what it is called changes.
    const kept = { kvWrites: [written(1, { version: 1, residency: 'mutable' })] };
    expect(brokenBy(prefix, stepOf([main], { transitions: [gives(3)], ...kept }, 1))).toEqual([
      'kv-uncomputed@1',
    ]);
    const first = stepOf(
      [
        passOf(
          [
            [1, 3],
            [2, 3],
          ],
          { kind: 'seal', logits: [] },
        ),
      ],
      {
        kvWrites: [renewed(1, 5), renewed(2, 5)],
      },
      1,
    );
    const bare = canvasOf(['V', 'V', 'IV', 'IV']);
    const next = passOf([3, 4], { id: '1.0', version: 6 });
    const promoted = {
      ...stepOf([next], { transitions: [gives(3)], kvWrites: [renewed(1, 5)] }, 1),
      plan: { step: 1, block: 1, passes: [next] },
    };
    expect(brokenBy(bare, promoted, { after: [first] })).toEqual([]);
  });

  it('was launched, lands once, and is dropped as a whole', () => {
    expect(lands({ landed: ['7.7'] })).toEqual(['landing-unknown@']);
    expect(lands({ dropped: [{ passId: '7.7', position: 1, reason: 'late' }] })).toEqual(['drop-unknown@1']);
    expect(lands({ dropped: [{ passId: '0.1', position: 1, reason: 'late' }] })).toEqual([]);
    const dropped = {
      landed: ['0.1'],
      dropped: [{ passId: '0.1', position: 1, reason: 'superseded' as const }],
    };
    expect(lands(dropped)).toEqual([]);
    expect(lands({ ...dropped, kvWrites: [renewed(1)] })).toEqual(['kv-without-landing@1']);
    const twice = { landed: ['0.1', '0.1'], transitions: [gives(3), scored(1), scored(2)] };
    expect(lands(twice)).toEqual(['landing-unknown@']);
  });

  it('is over with a step that joins', () => {
    const joined = (change: Partial<ReturnType<typeof stepOf>>) => {
      const step = stepOf([main, side], { transitions: [gives(3)], ...change }, 1);
      return judgedStep(prefix, { ...step, plan: { ...step.plan, joins: true } });
    };
    expect(joined({}).broken).toEqual(['joined-landing@']);
    expect(joined({}).said).toBe('refresh 0.1 is left over by a step that waits for it');
    expect(joined({ dropped: [{ passId: '0.1', position: 1, reason: 'late' }] }).broken).toEqual([]);
    expect(joined({ landed: ['0.1'], transitions: [gives(3), scored(1), scored(2)] }).broken).toEqual([]);
  });
});

describe('a version', () => {
  it('is that of one pass', () => {
    const side = passOf([[0, 3]], { id: '0.1', kind: 'refresh', lane: 'side', version: 5, logits: [] });
    expect(brokenBy(open, stepOf([denoise, side], { transitions: [gives(1)] }))).toEqual(['version-twice@']);
    expect(brokenBy(open, stepOf([denoise, { ...side, version: 6 }], { transitions: [gives(1)] }))).toEqual(
      [],
    );
  });
});

describe('row groups that are steps', () => {
  const groups = [5, 6].map(
    (version): RowGroup => ({ kind: 'denoise', version, rows: 2, sees: [], visibility: 'all' }),
  );
  const grouped = passOf([1, 2, [1, 4], 2], { visibility: { groups } });
  const whole = (change: Partial<ReturnType<typeof stepOf>>, passes: Pass[] = [grouped]) =>
    judgedStep(open, stepOf(passes, { transitions: [gives(1)], ...change })).broken.filter((one) =>
      one.startsWith('accepted'),
    );

  it('are groups of the main pass, with nothing beside them', () => {
    const two = [
      { group: 0, transitions: 1 },
      { group: 1, transitions: 0 },
    ];
    expect(whole({ accepted: two })).toEqual([]);
    expect(whole({ accepted: [...two, { group: 2, transitions: 0 }] })).toEqual(['accepted-unknown@']);
    expect(whole({ accepted: two }, [])).toEqual(['accepted-unknown@', 'accepted-unknown@']);
    expect(whole({ accepted: two, landed: ['7.7'] })).toEqual(['accepted-beside@']);
    expect(whole({ accepted: two, dropped: [{ passId: '7.7', position: 1, reason: 'late' }] })).toEqual([
      'accepted-beside@',
    ]);
    const side = passOf([[0, 3]], { id: '0.1', kind: 'refresh', lane: 'side', version: 9, logits: [] });
    expect(whole({ accepted: two }, [grouped, side])).toEqual(['accepted-beside@']);
    expect(whole({ landed: ['7.7'] })).toEqual([]);
  });
});

describe('a block that is edited', () => {
  const edited = canvasOf(['V', 'V', 'M', 'M'], { 1: { token: 5 }, 2: { token: 6 } });
  const both = passOf([
    [1, 5],
    [2, 6],
  ]);
  const says = (one: number, two: number) => [
    { passId: '0.0', rows: [one, two].map((token, at) => ({ position: 1 + at, token, confidence: 0.5 })) },
  ];
  const revised = (
    position: number,
    tokenBefore: number,
    token: number,
    reason: Transition['reason'],
  ): Transition => ({
    ...{ position, from: 'V', to: 'V', tokenBefore, token, confidence: 0.5, reason },
  });
  const step = (transitions: Transition[], outcomes = says(7, 6), block = 0) =>
    brokenBy(edited, stepOf([both], { transitions, outcomes, kvWrites: [] }, block), {
      givenUp: ['B1-edits', 'D4-every-step'],
    });

  it('stays open while its tokens may change', () => {
    expect(step([revised(1, 5, 7, 'revise')])).toEqual([]);
    expect(step([], says(5, 6), 1)).toEqual(['plan-block@']);
    const closed = stepOf([passOf([3, 4])], { transitions: [gives(3, { from: 'M' })] }, 1);
    expect(brokenBy(edited, closed)).toEqual([]);
    expect(brokenBy(edited, closed, { givenUp: ['B1-edits'] })).toContain('plan-block@');
  });

  it('moves the tokens that it held, and those that its rows said', () => {
    expect(step([revised(2, 6, 5, 'shift')])).toEqual([]);
    expect(step([revised(1, 5, 7, 'revise'), revised(2, 6, 7, 'shift')])).toEqual([]);
    expect(step([revised(2, 6, 7, 'shift')])).toEqual(['shifted-unheld@2']);
    expect(step([revised(2, 6, 3, 'shift')])).toEqual(['shifted-unheld@2']);
    // What a shift says is said by no row.
    expect(step([revised(2, 6, 8, 'shift'), revised(1, 5, 8, 'shift')])).toEqual([
      'shifted-unheld@2',
      'shifted-unheld@1',
    ]);
    const given = canvasOf(['V', 'IV', 'M', 'M'], { 1: { token: 5 } });
    const filled = stepOf([passOf([[1, 5], 2])], {
      outcomes: says(5, 6),
      transitions: [gives(2, { to: 'V', token: 6 }), revised(1, 5, 6, 'shift')],
    });
    expect(brokenBy(given, filled, { givenUp: ['B1-edits'] })).toEqual([]);
  });

  it('holds nothing more when all are finished', () => {
    const done = canvasOf(['S', 'S', 'S', 'S']);
    const late = stepOf(
      [passOf([[1, 3]])],
      {
        outcomes: [{ passId: '0.0', rows: [{ position: 1, token: 3, confidence: 0.5 }] }],
        transitions: [{ ...revised(1, 3, 3, 'shift'), from: 'S', to: 'S' }],
      },
      2,
    );
    expect(brokenBy(done, late, { givenUp: ['B1-edits', 'D4-every-step'] })).toEqual([
      'stable-change@1',
      'shifted-unheld@1',
    ]);
  });
});
