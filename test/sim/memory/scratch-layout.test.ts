import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { layoutScratch } from '../../../sim/memory/scratch-layout.js';

const ranges = fc
  .array(
    fc.record({
      bytes: fc.integer({ min: 1, max: 4096 }),
      first: fc.nat({ max: 20 }),
      length: fc.nat({ max: 8 }),
    }),
  )
  .map((list) =>
    list.map(({ bytes, first, length }, at) => ({ tensor: `t${at}`, bytes, first, last: first + length })),
  );

describe('layoutScratch', () => {
  it('lets tensors share addresses only when they never live at the same time', () => {
    fc.assert(
      fc.property(ranges, (list) => {
        const { offsets, bytes } = layoutScratch(list);
        list.forEach((a, at) => {
          const startA = offsets.get(a.tensor) ?? -1;
          expect(startA).toBeGreaterThanOrEqual(0);
          expect(startA + a.bytes).toBeLessThanOrEqual(bytes);
          for (const b of list.slice(at + 1)) {
            if (a.first > b.last || b.first > a.last) continue;
            const startB = offsets.get(b.tensor) ?? -1;
            expect(startA + a.bytes <= startB || startB + b.bytes <= startA).toBe(true);
          }
        });
      }),
    );
  });

  it('reuses addresses along a chain: three equal tensors, two alive at a time, take two places', () => {
    const chain = [0, 1, 2].map((at) => ({ tensor: `t${at}`, bytes: 1024, first: at, last: at + 1 }));
    expect(layoutScratch(chain).bytes).toBe(2048);
  });
});
