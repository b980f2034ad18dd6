import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventQueue } from '../../../sim/machine/event-queue.js';

describe('EventQueue', () => {
  it('returns events by time, equal times in order of insertion', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 10 })), (times) => {
        const queue = new EventQueue();
        times.forEach((time, value) => {
          queue.push(time, value);
        });
        const expected = times.map((time, value) => ({ timeMs: time, value }));
        expected.sort((a, b) => a.timeMs - b.timeMs || a.value - b.value);
        const got = times.map(() => queue.pop());
        expect(got).toEqual(expected);
        expect(queue.pop()).toBeUndefined();
        expect(queue.size).toBe(0);
      }),
    );
  });
});
