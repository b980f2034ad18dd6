import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attend } from '../../../src/engine/npu-numerics/attention.js';
import type { AttentionOp } from '../../../src/model/graph.js';

const { fround } = Math;

/** The nearest half, of two as near the even one, by arithmetic alone. */
function half(value: number): number {
  const single = fround(value);
  if (single === 0 || !Number.isFinite(single)) return single;
  const exponent = Math.max(-14, Math.floor(Math.log2(Math.abs(single))));
  const unit = 2 ** (exponent - 10);
  const low = Math.floor(single / unit);
  const rest = single / unit - low;
  const rounded = unit * (rest > 0.5 || (rest === 0.5 && low % 2 !== 0) ? low + 1 : low);
  return Math.abs(rounded) > 65504 ? Math.sign(rounded) * Number.POSITIVE_INFINITY : rounded;
}

/** 2^(low - high), as the table gives it: of a half, to a half. */
const exp2 = (low: number, high: number): number => half(2 ** -half(high - low));

interface Case {
  readonly rows: number;
  readonly keys: number;
  readonly block: number;
  readonly q: readonly number[];
  readonly k: readonly number[];
  readonly v: readonly number[];
  readonly hidden: readonly boolean[];
}

const [HEADS, KV_HEADS, DIM] = [2, 1, 3] as const;

/** One head and one row, from the words of docs/numerics.md: no buffer is shared, nothing is transposed. */
function plain({ keys, block, q, k, v, hidden }: Case, row: number, head: number): number[] {
  const scale = half(Math.LOG2E / Math.sqrt(DIM));
  const own = q.slice((row * HEADS + head) * DIM, (row * HEADS + head + 1) * DIM);
  let [maximum, sum] = [-65504, 0];
  let output = own.map(() => 0);
  for (let first = 0; first < keys; first += block) {
    const here = Array.from({ length: Math.min(block, keys - first) }, (_, i) => first + i);
    const scores = here.map((key) => {
      if (hidden[row * keys + key]) return -65504;
      const dot = own.reduce((total, value, d) => fround(total + value * k[key * DIM + d]), 0);
      return half(fround(dot * scale));
    });
    const now = Math.max(maximum, ...scores);
    const weights = scores.map((score) => exp2(score, now));
    const shrink = exp2(maximum, now);
    const added = weights.reduce((total, weight) => fround(total + weight), 0);
    sum = half(fround(fround(sum * shrink) + half(added)));
    output = output.map((value, d) =>
      half(
        here.reduce((total, key, i) => fround(total + weights[i] * v[key * DIM + d]), fround(value * shrink)),
      ),
    );
    maximum = now;
  }
  const reciprocal = half(1 / sum);
  return output.map((value) => half(fround(value * reciprocal)));
}

const cases = fc
  .record({
    rows: fc.integer({ min: 1, max: 3 }),
    keys: fc.integer({ min: 1, max: 7 }),
    block: fc.integer({ min: 1, max: 4 }),
    // Up to scores of tens of thousands: what must not be seen is below all of them.
    scale: fc.constantFrom(1, 8, 64),
  })
  .chain(({ rows, keys, block, scale }) => {
    const values = (count: number, most: number) =>
      fc.array(
        fc.integer({ min: -1000, max: 1000 }).map((n) => half((n / 1000) * most)),
        { minLength: count, maxLength: count },
      );
    return fc.record({
      rows: fc.constant(rows),
      keys: fc.constant(keys),
      block: fc.constant(block),
      q: values(rows * HEADS * DIM, scale),
      k: values(keys * KV_HEADS * DIM, scale),
      v: values(keys * KV_HEADS * DIM, 2),
      // Every row sees one key at least.
      hidden: fc
        .array(fc.boolean(), { minLength: rows * keys, maxLength: rows * keys })
        .map((all) => all.map((each, at) => each && at % keys !== Math.floor(at / keys) % keys)),
    });
  });

describe('attention in the arithmetic of the NPU', () => {
  it('is bit for bit what its words say, in blocks of keys, with keys hidden and scores of any size', () => {
    fc.assert(
      fc.property(cases, (of) => {
        const { rows, keys, block, q, k, v, hidden } = of;
        const op = { rows, keys, heads: HEADS, kvHeads: KV_HEADS, headDim: DIM } as AttentionOp;
        const visibility = Float32Array.from(hidden, (each) => (each ? 0 : 1));
        const [a, b, c] = [q, k, v].map((values) => Float32Array.from(values));
        const found = attend(op, { q: a, k: b, v: c, visibility }, block);
        const wanted = Array.from({ length: rows * HEADS }, (_, at) =>
          plain(of, Math.floor(at / HEADS), at % HEADS),
        ).flat();
        expect([...found]).toEqual([...Float32Array.from(wanted)]);
        if (hidden.some(Boolean)) return;
        expect([...attend(op, { q: a, k: b, v: c }, block)]).toEqual([...found]);
      }),
      { numRuns: 200 },
    );
  });
});
