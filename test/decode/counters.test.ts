import { describe, expect, it } from 'vitest';
import { countWork } from '../../src/decode/method/counters.js';
import type { StepRecord } from '../../src/decode/method/step-record.js';

interface Of {
  readonly kind: 'prefill' | 'denoise' | 'seal' | 'refresh';
  readonly lane?: 'side';
  /** Rows of each group; one number: no groups. */
  readonly rows: readonly number[];
  readonly logits?: number;
}
type Change = readonly [position: number, from: string, to: string, reason: string];

function step(passes: readonly Of[], changes: readonly Change[], rest: object = {}): StepRecord {
  return {
    plan: {
      step: 0,
      passes: passes.map(({ kind, lane = 'main', rows, logits = 0 }) => ({
        kind,
        lane,
        version: 0,
        rows: Array.from({ length: rows.reduce((a, b) => a + b, 0) }),
        logits: Array.from({ length: logits }),
        visibility:
          rows.length === 1 ? 'all' : { groups: rows.map((count) => ({ kind, rows: count, sees: [] })) },
      })),
    },
    transitions: changes.map(([position, from, to, reason]) => ({ position, from, to, reason })),
    dropped: [],
    accepted: [],
    ...rest,
  } as unknown as StepRecord;
}

const geometry = { promptLength: 2, genLength: 6, blockLength: 3 };

describe('work of a decode', () => {
  const steps = [
    // A prompt that is cached block by block has groups, which are no guesses.
    step([{ kind: 'prefill', rows: [1, 1] }], [], { accepted: [{ group: 0 }, { group: 1 }] }),
    step(
      [
        { kind: 'denoise', rows: [5], logits: 4 },
        { kind: 'refresh', lane: 'side', rows: [2], logits: 2 },
      ],
      [
        [2, 'M', 'IV', 'window'],
        [2, 'IV', 'V', 'commit'],
        [3, 'IV', 'S', 'draft-accepted'],
        [4, 'M', 'S', 'draft-accepted'],
      ],
      { dropped: [{ position: 2 }] },
    ),
    // Of three states the first and the last were reached: the four rows of the second were for nothing.
    step(
      [{ kind: 'denoise', rows: [3, 4, 2], logits: 9 }],
      [
        [2, 'V', 'S', 'refresh'],
        [3, 'V', 'V', 'refresh'],
        [5, 'IV', 'S', 'commit'],
        [5, 'S', 'IV', 'revoke'],
        [5, 'IV', 'S', 'commit'],
        [7, 'IV', 'S', 'stop'],
      ],
      { accepted: [{ group: 0 }, { group: 2 }], dropped: [{ position: 2 }, { position: 3 }] },
    ),
    step([{ kind: 'seal', rows: [3] }], []),
  ];

  it('is counted by lane and kind, by rows, by what was drafted and by what came of it', () => {
    expect(countWork(geometry, steps, [10, 11, 12, 13, 99, 99], [99])).toEqual({
      forwards: { prefill: 1, denoise: 2, seal: 1, refresh: 0 },
      nfe: 4,
      sideRefreshes: 1,
      mainRows: 2 + 5 + 9 + 3,
      sideRows: 2,
      logitsRows: 4 + 2 + 9,
      draftsAccepted: 2,
      statesDrafted: 2,
      statesAccepted: 1,
      rowsWasted: 4,
      refreshesLanded: 2,
      refreshesDropped: 3,
      // Positions 2 to 5, each once; what a stop filled in gave no forward.
      tokens: 4,
      textTokens: 4,
      tokensPerForward: 1,
      textTokensPerForward: 1,
    });
  });

  it('takes groups for guesses where they are for more than filling the cache', () => {
    const accepted = { accepted: [{ group: 0 }, { group: 1 }] };
    const kinds = (...of: readonly ('prefill' | 'seal' | 'denoise')[]) => {
      const one = step([{ kind: of[0], rows: of.map(() => 1) }], [], accepted);
      const groups = of.map((kind) => ({ kind, rows: 1, sees: [] }));
      const passes = [{ ...one.plan.passes[0], visibility: { groups } }];
      const { statesDrafted } = countWork(
        geometry,
        [{ ...one, plan: { ...one.plan, passes } } as never],
        [10],
        [],
      );
      return statesDrafted;
    };
    expect([kinds('prefill', 'prefill'), kinds('seal', 'seal')]).toEqual([0, 0]);
    expect([kinds('seal', 'denoise'), kinds('denoise', 'denoise'), kinds('prefill', 'seal')]).toEqual([
      1, 1, 1,
    ]);
  });

  it('leaves given tokens out, and counts the gaps between them that were filled', () => {
    // Of six, three are given: only position 3 among them was a gap.
    const found = countWork({ ...geometry, given: 3 }, steps, [10, 11, 12, 13, 99, 99], [99]);
    expect(found).toMatchObject({ tokens: 4, textTokens: 4 });
    const whole = countWork({ ...geometry, given: 3 }, steps.slice(2), [10, 11, 12, 13, 14, 99], [99]);
    expect(whole).toMatchObject({
      tokens: 1,
      textTokens: 2,
      nfe: 2,
      tokensPerForward: 0.5,
      textTokensPerForward: 1,
    });
  });

  it('is nothing per forward where there was none', () => {
    expect(countWork(geometry, [], [99], [99])).toMatchObject({
      nfe: 0,
      tokensPerForward: 0,
      textTokensPerForward: 0,
    });
  });
});
