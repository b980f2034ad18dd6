import { describe, expect, it } from 'vitest';
import type { RowVisibility } from '../../src/pass/pass.js';
import { broken, END, judged, MASK, type Scene, said } from './support/one-change.js';

const row = (position: number, token = END, confidence = 1) => ({ position, token, confidence });
/** The last position of [3, mask] is committed as END by a step that says so. */
const committed = (rows = [row(3)], pass: Parameters<typeof said>[1] = {}): Scene => {
  const by = said(rows, pass);
  return { answer: [3, MASK], main: by.pass, outcome: by.outcome };
};

describe('where a change begins', () => {
  it('does not hide what else is wrong with it', () => {
    const change = { position: 2, tokenBefore: 4, reason: 'revise' } as const;
    expect(broken({ ...committed(), change })).toEqual(
      expect.arrayContaining(['transition-from', 'stable-change']),
    );
    expect(broken({ answer: [3, MASK], change: { position: 99 } })).toEqual(['transition-from']);
  });

  it('is followed by what it says, and a decided position has no draft left', () => {
    const drafts = { 3: { token: 4, confidence: 0.5, step: 0 } };
    const decided = judged({ ...committed(), drafts });
    expect(decided.canvas.at(3)).toMatchObject({ state: 'S', token: END, draft: null });
    const entered = judged({
      ...{ answer: [3, MASK], states: ['S', 'M'], drafts },
      change: { to: 'IV', token: MASK, reason: 'window' },
    });
    expect(entered.clauses).toEqual([]);
    expect(entered.canvas.at(3)).toMatchObject({ state: 'IV', draft: drafts[3] });
  });
});

describe('the window and the report', () => {
  const of = (reason: 'window' | 'final', change: Scene['change'], states?: Scene['states']) =>
    broken({ answer: [3, MASK], states, change: { token: MASK, reason, ...change } });

  it('name states', () => {
    expect(of('window', { to: 'IV' }, ['S', 'M'])).toEqual([]);
    expect(of('final', { position: 2, to: 'S', token: 3 }, ['V', 'IV'])).toEqual([]);
  });

  it('decide nothing, take nothing back, change no token', () => {
    for (const reason of ['window', 'final'] as const) {
      expect(of(reason, { to: 'V' })).toContain('bookkeeping');
      expect(of(reason, { position: 2, to: 'IV', token: 3 }, ['V', 'IV'])).toContain('bookkeeping');
      expect(of(reason, { position: 2, to: 'V', token: 4 }, ['V', 'IV'])).toContain('bookkeeping');
    }
  });
});

describe('tokens move', () => {
  const moves = (scene: Partial<Scene>) =>
    broken({
      ...{
        answer: [3, 4, 5, 6],
        states: ['S', 'S', 'V', 'V'],
        block: 1,
        held: [5, 6, 7],
        givenUp: ['B1-edits'],
      },
      ...scene,
      change: { position: 5, to: 'V', reason: 'shift', ...scene.change },
    }).includes('shifted-unheld');

  it('to where the open block held them, or away for a mask, where a policy moves any', () => {
    expect(moves({ change: { token: 7 } })).toBe(false);
    expect(moves({ change: { token: 8 } })).toBe(true);
    expect(moves({ change: { to: 'IV', token: MASK } })).toBe(false);
    expect(moves({ change: { token: 7 }, block: 0 })).toBe(true);
    expect(moves({ change: { token: 7 }, givenUp: [] })).toBe(true);
  });
});

describe('tokens are given and taken back', () => {
  const other = said([row(5)]);
  const order = (scene: Partial<Scene>) =>
    broken({ answer: [3, 4, 5, MASK], main: other.pass, outcome: other.outcome, ...scene }).includes(
      'block-order',
    );

  it('in the block that the step worked on', () => {
    expect(order({ block: 1 })).toBe(false);
    // Open now, but not when the step began.
    expect(order({ block: 0 })).toBe(true);
    expect(order({ answer: [3, MASK, 5, MASK], block: 0 })).toBe(true);
    expect(
      order({
        ...{ answer: [3, 4, 5, MASK], states: ['S', 'V', 'S', 'IV'], block: 1 },
        change: { position: 3, to: 'IV', token: MASK, reason: 'revoke' },
      }),
    ).toBe(true);
  });

  it('as a draft that enters in the block that is open now, and in no later one', () => {
    const change = { reason: 'draft-carried' } as const;
    expect(order({ change })).toBe(false);
    expect(order({ answer: [3, MASK, 5, MASK], change })).toBe(true);
  });

  it('as the next of several tokens of one causal pass, and not further on', () => {
    const main = { ...other.pass, visibility: 'causal' as RowVisibility };
    expect(order({ main })).toBe(false);
    expect(order({ main, answer: [3, MASK, 5, MASK] })).toBe(true);
  });

  it('anywhere behind the end of a text, or where the policy has several blocks open', () => {
    expect(order({ answer: [3, END, 5, MASK], change: { reason: 'stop' } })).toBe(false);
    expect(order({ answer: [3, MASK, 5, MASK], givenUp: ['B1-one-block'] })).toBe(false);
  });
});

describe('a token is given by logits of the step', () => {
  it('that name it with its confidence', () => {
    expect(broken(committed())).toEqual([]);
    expect(broken(committed([row(2), row(3)]))).toEqual([]);
    expect(broken(committed([row(3, 4)]))).toContain('committed-unscored');
    expect(broken(committed([row(3, END, 0.5)]))).toContain('committed-unscored');
    expect(broken(committed([row(2)]))).toContain('committed-unscored');
    expect(broken({ ...committed(), outcome: undefined })).toContain('committed-unscored');
    expect(broken({ ...committed(), outcome: { passId: '0.1', rows: [row(3)] } })).toContain(
      'committed-unscored',
    );
  });

  it('of a pass that decides: a refresh does not', () => {
    for (const at of [2, 3])
      expect(broken(committed([row(at)], { kind: 'refresh' })), `${at}`).toContain('committed-unscored');
  });

  it('about the position after its own, where a pass caches text or a row sees what is left of it', () => {
    const next = [
      ...(['prefill', 'seal'] as const).map((kind) => ({ kind })),
      ...(['denoise', 'prefill', 'seal'] as const).map((kind) => ({ kind, visibility: 'causal' as const })),
    ];
    for (const pass of next) {
      expect(broken(committed([row(2)], pass)), JSON.stringify(pass)).toEqual([]);
      expect(broken(committed([row(3)], pass)), JSON.stringify(pass)).toContain('committed-unscored');
    }
  });

  it('of its own rows, not of those that ride along', () => {
    const groups = (['all', 'shadow'] as const).map((visibility, version) => ({
      ...{ kind: 'denoise' as const, version, rows: 1, sees: [], visibility },
    }));
    expect(broken(committed([row(2), row(3)], { visibility: { groups } }))).toContain('committed-unscored');
  });
});

describe('a token is taken back', () => {
  const groups = (['all', 'shadow'] as const).map((visibility, version) => ({
    ...{ kind: 'denoise' as const, version, rows: 1, sees: [], visibility },
  }));
  const revoked = (shadow: number, change: Scene['change'] = {}, alone = false) => {
    const rows = [row(2), { ...row(shadow), asked: 0.2 }];
    const asking = rows.map(({ position }, at) => ({
      position,
      feed: MASK,
      ...(at === 1 ? { asks: 4 } : {}),
    }));
    const by = said(alone ? rows.slice(0, 1) : rows, alone ? {} : { rows: asking, visibility: { groups } });
    return broken({
      ...{ answer: [3, 4], states: ['IV', 'V'], main: by.pass, outcome: by.outcome },
      change: { to: 'IV', token: MASK, confidence: 0.2, reason: 'revoke', ...change },
    });
  };

  it('because its shadow row gives it that probability', () => {
    expect(revoked(3)).toEqual([]);
    expect(revoked(3, { confidence: 0.3 })).toContain('revoked-unscored');
    expect(revoked(2)).toContain('revoked-unscored');
  });

  it('to be undecided in the window', () => {
    expect(revoked(3, { to: 'M' })).toContain('revoked-unscored');
    expect(revoked(3, { to: 'V', token: 4 })).toContain('revoked-unscored');
  });

  it('not without shadow rows, nor without an outcome', () => {
    expect(revoked(3, {}, true)).toContain('revoked-unscored');
    const change = { to: 'IV', token: MASK, reason: 'revoke' } as const;
    expect(broken({ answer: [3, 4], states: ['S', 'V'], change })).toContain('revoked-unscored');
  });
});

describe('a refresh', () => {
  const scene = { answer: [3, 4], states: ['V', 'V'] as const };
  const changed = { position: 3, to: 'V', token: 5, confidence: 0.6, reason: 'refresh' } as const;
  const landed = (...passes: ReturnType<typeof said>[]) => new Map(passes.map((one) => [one.pass.id, one]));

  it('sets what a pass that landed says, or the sweep itself', () => {
    const by = said([row(2, 3, 0.9), row(3, 5, 0.6)], { id: '1.1' });
    expect(broken({ ...scene, landed: landed(by), change: changed })).toEqual([]);
    const sweep = said([row(3, 5, 0.6)], { kind: 'refresh' });
    expect(broken({ ...scene, main: sweep.pass, outcome: sweep.outcome, change: changed })).toEqual([]);
    expect(broken({ ...scene, main: sweep.pass, change: changed })).toEqual(['landing-none']);
  });

  it('is none of the main pass, nor of one that scored another position', () => {
    const main = said([row(3, 5, 0.6)]);
    expect(broken({ ...scene, main: main.pass, outcome: main.outcome, change: changed })).toEqual([
      'landing-none',
    ]);
    const elsewhere = said([row(2, 5, 0.6)], { id: '1.1' });
    expect(broken({ ...scene, landed: landed(elsewhere), change: changed })).toEqual(['landing-none']);
  });

  it('sets nothing that the logits of that position do not say', () => {
    const by = said([row(2, 5, 0.6), row(3, 4, 0.9)], { id: '1.1' });
    expect(broken({ ...scene, landed: landed(by), change: changed })).toEqual(['refreshed-unscored']);
    const settled = { ...changed, token: 4, to: 'S' } as const;
    expect(broken({ ...scene, landed: landed(by), change: settled })).toEqual(['refreshed-unscored']);
    const kept = { ...changed, token: 4 };
    expect(broken({ ...scene, landed: landed(by), change: kept })).toEqual([]);
  });

  it('may be the one of two that landed together', () => {
    const two = [said([row(3, 4, 0.9)], { id: '1.1' }), said([row(3, 5, 0.6)], { id: '2.1' })];
    expect(broken({ ...scene, landed: landed(...two), change: changed })).toEqual([]);
  });
});

describe('a draft', () => {
  const drafts = { 3: { token: END, confidence: 1, step: 0 } };
  const accepted = (scene: Partial<Scene> = {}) =>
    broken({ ...committed(), drafts, ...scene, change: { reason: 'draft-accepted', ...scene.change } });

  it('is accepted on logits of the step that name its token with that confidence', () => {
    expect(accepted()).toEqual([]);
    expect(accepted({ outcome: undefined })).toEqual(['draft-unscored']);
    expect(accepted({ ...committed([row(3, 4)]) })).toEqual(['draft-token']);
    expect(accepted({ ...committed([row(3, END, 0.5)]) })).toEqual(['draft-confidence']);
    expect(accepted({ drafts: {} })).toEqual(['draft-unknown']);
    // The logits count, whatever the draft was.
    expect(accepted({ drafts: { 3: { token: 4, confidence: 0.5, step: 0 } } })).toEqual([]);
  });

  it('is carried as it was, or as this step made it, where a policy does without fresh logits', () => {
    const carried = (scene: Partial<Scene> = {}) =>
      broken({
        ...{ answer: [3, MASK], drafts, givenUp: ['B3-fresh-logits'] as const },
        ...scene,
        change: { reason: 'draft-carried', ...scene.change },
      });
    expect(carried()).toEqual([]);
    expect(carried({ givenUp: [] })).toEqual(['carried-stale']);
    expect(carried({ drafts: {} })).toEqual(['carried-unknown']);
    expect(carried({ drafts: { 3: { token: 4, confidence: 1, step: 0 } } })).toEqual(['carried-unknown']);
    expect(carried({ drafts: { 3: { token: END, confidence: 0.5, step: 0 } } })).toEqual(['carried-unknown']);
    const { main, outcome } = committed();
    expect(carried({ drafts: {}, main, outcome })).toEqual([]);
    expect(carried({ drafts: {}, ...committed([row(3, 4)]) })).toEqual(['carried-unknown']);
  });
});

describe('a token that is replaced', () => {
  const replaced = (scene: Partial<Scene> = {}) => {
    const by = said([row(3, 5, 0.6)]);
    return broken({
      ...{ answer: [3, 4], states: ['S', 'V'] as const, main: by.pass, outcome: by.outcome },
      ...scene,
      change: { to: 'V', token: 5, confidence: 0.6, reason: 'revise', ...scene.change },
    });
  };

  it('is what logits of the step say', () => {
    expect(replaced()).toEqual([]);
    expect(replaced({ outcome: undefined })).toEqual(['revised-unscored']);
    expect(replaced({ change: { token: 6 } })).toEqual(['revised-unscored']);
    expect(replaced({ change: { confidence: 0.5 } })).toEqual(['revised-unscored']);
    // The same token may have another confidence.
    expect(replaced({ change: { token: 4, confidence: 0.5 } })).toEqual([]);
    expect(replaced({ change: { to: 'IV', token: MASK, confidence: 0.5 } })).toEqual([]);
  });

  it('may be what a row says beside what it excludes, as sure as it is of its best', () => {
    const by = said([{ ...row(3, 5, 0.6), instead: 6 }]);
    const instead = (token: number, confidence = 0.6) =>
      replaced({ main: by.pass, outcome: by.outcome, change: { token, confidence } });
    expect([instead(5), instead(6)]).toEqual([[], []]);
    expect([instead(7), instead(6, 0.5)]).toEqual([['revised-unscored'], ['revised-unscored']]);
  });

  it('is not the mask', () => {
    const by = said([row(3, MASK, 1)]);
    const scene = { answer: [3, MASK], main: by.pass, outcome: by.outcome };
    expect(broken({ ...scene, change: { token: MASK } })).toEqual(['mask-token']);
  });

  it('begins as what it is', () => {
    expect(replaced({ change: { from: 'S', to: 'S' } })).toEqual(['transition-from', 'stable-change']);
    expect(replaced({ change: { from: 'IV' } })).toContain('transition-from');
    expect(replaced({ change: { tokenBefore: 7 } })).toEqual(['transition-from']);
  });
});

describe('a shadow row', () => {
  const groups = (['all', 'shadow'] as const).map((visibility, version) => ({
    ...{ kind: 'denoise' as const, version, rows: 1, sees: [], visibility },
  }));
  /** The shadow row asks about a token at a position; the last position, which holds 4, is taken back. */
  const taken = (position: number, asks: number, saidAt = position) => {
    const rows = [row(2), { ...row(saidAt), asked: 0.2 }];
    const by = said(rows, {
      ...{
        rows: [
          { position: 2, feed: MASK },
          { position, feed: MASK, asks },
        ],
        logits: [0, 1],
      },
      visibility: { groups },
    });
    return broken({
      ...{ answer: [3, 4], states: ['IV', 'V'], main: by.pass, outcome: by.outcome },
      change: { to: 'IV', token: MASK, confidence: 0.2, reason: 'revoke' },
    });
  };

  it('takes back the token that it was asked about, at its own position', () => {
    expect(taken(3, 4)).toEqual([]);
    expect(taken(3, 5)).toEqual(['revoked-unscored']);
    expect(taken(2, 4)).toEqual(['revoked-unscored']);
    expect(taken(3, 4, 2)).toEqual(['revoked-unscored']);
  });

  it('is not spoken for by another', () => {
    /** Shadow rows of positions 2 and 3, each asking about a token, with its probability. */
    const two = (...of: readonly (readonly [asks: number, asked: number])[]) => {
      const shadows = of.map(([asks, asked], at) => ({ ...row(2 + at), asks, asked }));
      const by = said([row(2), ...shadows.map(({ asks: _, ...rest }) => rest)], {
        rows: [
          { position: 2, feed: MASK },
          ...shadows.map(({ position, asks }) => ({ position, feed: MASK, asks })),
        ],
        visibility: { groups: groups.map((group, at) => ({ ...group, rows: 1 + at })) },
      });
      return broken({
        ...{ answer: [3, 4], states: ['IV', 'V'], main: by.pass, outcome: by.outcome },
        change: { to: 'IV', token: MASK, confidence: 0.2, reason: 'revoke' },
      });
    };
    expect(two([1, 0.5], [4, 0.2])).toEqual([]);
    expect(two([1, 0.2], [4, 0.5])).toEqual(['revoked-unscored']);
    expect(two([4, 0.5], [5, 0.2])).toEqual(['revoked-unscored']);
  });
});

describe('what moves in', () => {
  const moved = (change: Scene['change']) =>
    broken({
      ...{ answer: [3, 4, 5, 6], states: ['S', 'S', 'V', 'V'], block: 1, held: [5, 6] },
      ...{ givenUp: ['B1-edits'] },
      change: { position: 5, reason: 'shift', ...change },
    });

  it('is a mask where it becomes undecided, and a token that was held', () => {
    expect(moved({ to: 'IV', token: MASK })).toEqual([]);
    expect(moved({ to: 'IV', token: 8 })).toEqual(['shifted-unheld']);
    expect(moved({ to: 'V', token: 5 })).toEqual([]);
    expect(moved({ to: 'V', token: MASK })).toContain('shifted-unheld');
  });
});
