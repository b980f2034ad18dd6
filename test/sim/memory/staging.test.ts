import { describe, expect, it } from 'vitest';
import { copyMs, mapMs } from '../../../sim/memory/regions.js';
import { StagingPipeline } from '../../../sim/memory/staging.js';
import { batchesOf } from '../../../sim/memory/staging-plan.js';

/** 1000 B per ms, no flush. */
const COSTS = { mapFixedMs: 0, mapMsPerByte: 0, maintenanceMsPerByte: 0, copyBytesPerMs: 1000 };
const batches = [0, 1, 2].map((unit) => ({ units: [unit], bytes: 2000 }));

describe('StagingPipeline', () => {
  it('starts with both slots filled, then refills the slot that was released', () => {
    const staging = new StagingPipeline(batches, COSTS);
    expect(staging.read(0, 5)).toBe(5);
    staging.release(10);
    // Batch 2 now goes into slot 0, 2 ms of copying.
    expect(staging.read(1, 10)).toBe(10);
    expect(staging.slotOf(2, 11.9)).toBeNull();
    expect(staging.slotOf(2, 12)).toBe(0);
    staging.release(11);
    // The copy of batch 2 runs until 12: the NPU waits.
    expect(staging.read(2, 11)).toBe(12);
    expect(staging.takeUses().filter((use) => use.access === 'write')).toEqual([
      { slot: 0, access: 'write', bytes: 2000, startMs: 10, endMs: 12 },
      { slot: 1, access: 'write', bytes: 2000, startMs: 12, endMs: 14 },
    ]);
  });

  it('tells the copies that are not over, in order', () => {
    const staging = new StagingPipeline(batches, COSTS);
    expect(staging.pending(0)).toEqual([]);
    staging.read(0, 5);
    staging.release(10);
    staging.read(1, 10);
    staging.release(11);
    const ends = (nowMs: number) => staging.pending(nowMs).map(({ startMs, endMs }) => [startMs, endMs]);
    expect(ends(11)).toEqual([
      [10, 12],
      [12, 14],
    ]);
    expect(ends(12)).toEqual([[12, 14]]);
    expect(ends(14)).toEqual([]);
  });

  it('continues with the first batch of the next pass', () => {
    const staging = new StagingPipeline(batches, COSTS);
    for (const batch of [0, 1, 2]) {
      staging.read(batch, 0);
      staging.release(0);
    }
    expect(staging.current).toBe(0);
    // Its new fill is in the other slot: the fourth of all.
    expect([staging.slotOf(0, 3.9), staging.slotOf(0, 4)]).toEqual([null, 1]);
    // Copies 2, 0, 1 run one after the other from time 0.
    expect(staging.read(0, 0)).toBe(4);
  });

  it('a fill takes its copy and the flush of what was copied; a mapping its call and its bytes', () => {
    const costs = { mapFixedMs: 3, mapMsPerByte: 0.001, maintenanceMsPerByte: 0.002, copyBytesPerMs: 1000 };
    expect(copyMs(costs, 2000)).toBe(2 + 4);
    expect(mapMs(costs, 2000)).toBe(3 + 2);
    const staging = new StagingPipeline(batches, costs);
    staging.read(0, 0);
    staging.release(10);
    expect(staging.slotOf(2, 15.9)).toBeNull();
    expect(staging.slotOf(2, 16)).toBe(0);
  });

  it('refuses batches out of order', () => {
    expect(() => new StagingPipeline(batches, COSTS).read(1, 0)).toThrow(/expected batch 0, got 1/);
  });
});

describe('batches of a slot', () => {
  it('hold as many units together as fit, to the last byte, in order of use', () => {
    const bytes = [60, 40, 1, 100, 99, 2];
    expect(batchesOf([0, 1, 2, 3, 4, 5], bytes, 100)).toEqual([
      { units: [0, 1], bytes: 100 },
      { units: [2], bytes: 1 },
      { units: [3], bytes: 100 },
      { units: [4], bytes: 99 },
      { units: [5], bytes: 2 },
    ]);
    expect(batchesOf([5, 2], bytes, 100)).toEqual([{ units: [5, 2], bytes: 3 }]);
    expect(batchesOf([], bytes, 100)).toEqual([]);
  });
});
