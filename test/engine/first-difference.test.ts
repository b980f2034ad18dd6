import { describe, expect, it } from 'vitest';
import { type DecodeWithMargins, firstDifference } from '../../src/engine/verify/verify-policy.js';

interface Said {
  readonly position: number;
  readonly token: number;
  readonly confidence: number;
  /** Of its row, where the main pass has one. */
  readonly margin?: number;
}

/** A decode of two prompt tokens that did at each step what is said; rows that changed nothing lie around them. */
function decoded(tokens: readonly number[], steps: readonly (readonly Said[])[]): DecodeWithMargins {
  const margins = new Map<string, readonly number[]>();
  const records = steps.map((said, step) => {
    const id = `${step}.0`;
    const rows = said.flatMap(({ position, token, confidence, margin }) =>
      margin === undefined ? [] : [{ position, token, confidence, margin }],
    );
    const idle = { position: 1, token: 0, confidence: 0.01, margin: 99 };
    const all = [idle, ...rows, { ...idle, position: 40 }];
    margins.set(
      id,
      all.map(({ margin }) => margin),
    );
    return {
      plan: { step: step + 10, passes: [{ id }] },
      outcomes: [{ passId: id, rows: all }],
      transitions: [{ position: 1, token: 0, confidence: 0.01 }, ...said],
    };
  });
  return { tokens, steps: records, margins } as unknown as DecodeWithMargins;
}

const at = (position: number, token: number, confidence: number, margin?: number): Said => ({
  position,
  token,
  confidence,
  margin,
});

describe('where two decodes part', () => {
  const other = decoded([1, 2, 3], []);

  it('is nowhere when they have the same tokens', () => {
    expect(firstDifference(decoded([1, 2, 3], [[at(2, 1, 0.5, 1)]]), other, 2)).toBeNull();
  });

  it('is the step that gave the first of the other tokens, not the first position', () => {
    const run = decoded(
      [7, 2, 9],
      [[at(3, 2, 0.4, 3)], [at(3, 2, 0.4, 5), at(4, 9, 0.6, 0.25)], [at(2, 7, 0.5, 4)]],
    );
    expect(firstDifference(run, other, 2)).toEqual({
      step: 11,
      position: 4,
      token: 9,
      expected: 3,
      logitMargin: 0.25,
    });
  });

  it('is the step of that position, not of another that got the same token before', () => {
    const run = decoded([7, 2, 3], [[at(3, 7, 0.4, 1)], [at(2, 7, 0.5, 4)]]);
    expect(firstDifference(run, other, 2)).toMatchObject({ step: 11, position: 2, logitMargin: 4 });
  });

  it('is the first position of a step that gave several', () => {
    const run = decoded([7, 2, 9], [[at(4, 9, 0.6, 0.25), at(2, 7, 0.5, 4)]]);
    expect(firstDifference(run, other, 2)).toMatchObject({
      position: 2,
      token: 7,
      expected: 1,
      logitMargin: 4,
    });
  });

  it('is the step from which on the token stood, though the position had another one before', () => {
    const run = decoded([7, 2, 3], [[at(2, 5, 0.3, 1)], [at(2, 7, 0.5, 2)], [at(2, 7, 0.9, 3)]]);
    expect(firstDifference(run, other, 2)).toMatchObject({ step: 11, logitMargin: 2 });
  });

  it('has the margin of the row that said so: of its position and of its confidence', () => {
    const run = decoded([7, 2, 3], [[at(2, 7, 0.9, 8), at(3, 7, 0.5, 6), at(2, 7, 0.5, 2)]]);
    expect(firstDifference(run, other, 2)).toMatchObject({ step: 10, position: 2, logitMargin: 2 });
    const early = decoded([7, 2, 3], [[at(3, 2, 0.5, 6), at(2, 7, 0.5, 2)]]);
    expect(firstDifference(early, other, 2)).toMatchObject({ logitMargin: 2 });
  });

  it('has no margin where no row of the main pass said so', () => {
    const run = decoded([7, 2, 3], [[at(2, 7, 0.5)]]);
    expect(firstDifference(run, other, 2)).toMatchObject({ step: 10, logitMargin: Number.NaN });
    expect(firstDifference({ ...run, margins: new Map() }, other, 2)?.logitMargin).toBeNaN();
  });
});
