import { describe, expect, it } from 'vitest';
import { firstParting } from '../../../src/engine/compare/parting.js';
import type { DecodeWithMargins } from '../../../src/engine/verify/verify-policy.js';

/** What a step said of its rows, `[position, token, confidence, margin]`, and what it decided, `[position, state, token]`. */
interface Step {
  readonly rows: readonly (readonly [number, number, number, number])[];
  readonly decided: readonly (readonly [number, 'V' | 'S', number])[];
}

function decoded(steps: readonly Step[]): DecodeWithMargins {
  const margins = new Map(steps.map(({ rows }, at) => [`${at}.0`, rows.map(([, , , margin]) => margin)]));
  const records = steps.map(({ rows, decided }, at) => ({
    plan: { step: at, passes: [{ id: `${at}.0` }] },
    outcomes: [
      {
        passId: `${at}.0`,
        rows: rows.map(([position, token, confidence]) => ({ position, token, confidence })),
      },
    ],
    transitions: decided.map(([position, to, token]) => ({ position, to, token })),
  }));
  return { tokens: [], steps: records, margins } as unknown as DecodeWithMargins;
}

const same: Step = { rows: [[4, 1, 0.5, 2]], decided: [[4, 'S', 1]] };

describe('where an engine leaves the reference', () => {
  it('is nowhere when all decisions are the same, whatever the confidences', () => {
    const unsure: Step = { ...same, rows: [[4, 1, 0.25, 3]] };
    expect(firstParting(decoded([unsure]), decoded([same]))).toBeNull();
  });

  it('is the first step whose decisions differ, with what both said and how sure the reference was', () => {
    const run = decoded([same, { rows: [[6, 3, 0.625, 9]], decided: [[6, 'S', 3]] }]);
    const reference = decoded([
      same,
      {
        rows: [
          [5, 7, 0.9, 8],
          [6, 2, 0.5, 0.25],
        ],
        decided: [[6, 'S', 2]],
      },
    ]);
    expect(firstParting(run, reference)).toEqual({
      step: 1,
      position: 6,
      kind: 'token',
      token: 3,
      expected: 2,
      referenceMargin: 0.25,
      confidenceDifference: 0.125,
    });
  });

  it('is an order where both rows say the same token', () => {
    const rows = [
      [4, 1, 0.5, 2],
      [5, 2, 0.5, 3],
    ] as const;
    const run = decoded([{ rows, decided: [[4, 'S', 1]] }]);
    const reference = decoded([{ rows, decided: [[5, 'S', 2]] }]);
    // Both positions differ; the reference is surer of the second.
    expect(firstParting(run, reference)).toMatchObject({ kind: 'order', position: 5, referenceMargin: 3 });
    const visible = decoded([{ rows, decided: [[4, 'V', 1]] }]);
    expect(firstParting(run, visible)).toMatchObject({ kind: 'order', position: 4, referenceMargin: 2 });
  });

  it('is the first of several that are as sure, and has no numbers where a step scored nothing', () => {
    const rows = [
      [4, 1, 0.5, 2],
      [5, 2, 0.5, 2],
    ] as const;
    const run = decoded([{ rows, decided: [[4, 'S', 1]] }]);
    const reference = decoded([{ rows, decided: [[5, 'S', 2]] }]);
    expect(firstParting(run, reference)).toMatchObject({ position: 4, referenceMargin: 2 });
    const silent = ({ steps, ...rest }: DecodeWithMargins) =>
      ({ ...rest, steps: steps.map((step) => ({ ...step, outcomes: [] })) }) as DecodeWithMargins;
    expect(firstParting(silent(run), silent(reference))).toEqual({
      ...{ step: 0, position: 4, kind: 'order', token: null, expected: null },
      ...{ referenceMargin: null, confidenceDifference: null },
    });
  });

  it('is another token before an order, however near the tie, and of several the one of the largest margin', () => {
    const decided = [
      [4, 'S', 1],
      [5, 'S', 2],
      [6, 'S', 3],
    ] as const;
    const reference = decoded([
      {
        rows: [
          [4, 1, 0.5, 9],
          [5, 2, 0.5, 0.5],
          [6, 3, 0.5, 0.75],
        ],
        decided,
      },
    ]);
    const run = decoded([
      {
        rows: [
          [4, 1, 0.5, 9],
          [5, 8, 0.5, 0.5],
          [6, 8, 0.5, 0.75],
        ],
        decided: [
          [5, 'S', 8],
          [6, 'S', 8],
        ],
      },
    ]);
    expect(firstParting(run, reference)).toMatchObject({ kind: 'token', position: 6, expected: 3, token: 8 });
  });

  it('knows nothing of a row that one of the two did not score', () => {
    const empty: Step = { rows: [], decided: [] };
    const nothing = { token: null, kind: 'order', confidenceDifference: null };
    expect(firstParting(decoded([empty]), decoded([same]))).toMatchObject({
      ...nothing,
      expected: 1,
      referenceMargin: 2,
    });
    expect(firstParting(decoded([same]), decoded([empty]))).toMatchObject({
      kind: 'order',
      token: 1,
      expected: null,
      referenceMargin: null,
      confidenceDifference: null,
    });
  });

  it('may lie behind the end of either', () => {
    expect(firstParting(decoded([same, same]), decoded([same]))).toMatchObject({
      step: 1,
      token: 1,
      expected: null,
      referenceMargin: null,
    });
    expect(firstParting(decoded([same]), decoded([same, same]))).toMatchObject({
      step: 1,
      token: null,
      expected: 1,
      referenceMargin: 2,
    });
  });
});
