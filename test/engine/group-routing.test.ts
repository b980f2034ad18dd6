import { describe, expect, it } from 'vitest';
import { groupRouting } from '../../src/engine/group-routing.js';
import type { MoeOp } from '../../src/model/graph.js';

const op = (over: Partial<MoeOp> = {}) =>
  ({
    experts: 6,
    expertsPerToken: 2,
    renormalise: true,
    grouped: { groups: 3, groupsPerToken: 1, expertScale: 2.5 },
    ...over,
  }) as MoeOp;

/** Router logits whose sigmoids are these. */
const scored = (...scores: readonly number[]) => Float32Array.from(scores, (s) => Math.log(s / (1 - s)));

describe('group routing, by hand', () => {
  const none = new Float32Array(6);

  it('opens the group with the best two, not that of the best expert', () => {
    // Groups are worth 0.9 + 0.1, 0.6 + 0.5 and 0.3 + 0.4.
    const shares = groupRouting(op(), scored(0.9, 0.1, 0.6, 0.5, 0.3, 0.4), none);
    expect([...shares.keys()]).toEqual([2, 3]);
    expect(shares.get(2)).toBeCloseTo((2.5 * 0.6) / 1.1, 5);
    expect(shares.get(3)).toBeCloseTo((2.5 * 0.5) / 1.1, 5);
  });

  it('chooses by scores with bias, and weighs by those without', () => {
    const bias = Float32Array.of(0, 0, 0, 0, 0.5, 0.5);
    const shares = groupRouting(op(), scored(0.9, 0.1, 0.6, 0.5, 0.3, 0.4), bias);
    expect([...shares.keys()]).toEqual([5, 4]);
    expect(shares.get(5)).toBeCloseTo((2.5 * 0.4) / 0.7, 5);
    expect(shares.get(4)).toBeCloseTo((2.5 * 0.3) / 0.7, 5);
  });

  it('takes the best of all open groups, the lowest of equals first, without renormalisation if the model has none', () => {
    const grouped = { groups: 3, groupsPerToken: 2, expertScale: 1 };
    const shares = groupRouting(
      op({ renormalise: false, grouped }),
      scored(0.5, 0.5, 0.5, 0.5, 0.1, 0.1),
      none,
    );
    expect([...shares]).toEqual([
      [0, 0.5],
      [1, 0.5],
    ]);
  });

  it('weighs a group by the best two of its experts, in whatever order they stand', () => {
    // Of three experts each: 0.9 + 0.5 against 0.8 + 0.7.
    const grouped = { groups: 2, groupsPerToken: 1, expertScale: 1 };
    const shares = groupRouting(
      op({ renormalise: false, grouped }),
      scored(0.5, 0.1, 0.9, 0.2, 0.7, 0.8),
      none,
    );
    expect([...shares.keys()]).toEqual([5, 4]);
    const other = groupRouting(
      op({ renormalise: false, grouped }),
      scored(0.1, 0.6, 0.95, 0.3, 0.8, 0.7),
      none,
    );
    expect([...other.keys()]).toEqual([2, 1]);
  });

  it('is of experts that have groups', () => {
    expect(() => groupRouting(op({ grouped: undefined }), scored(0.5), none)).toThrow('have no groups');
  });
});
