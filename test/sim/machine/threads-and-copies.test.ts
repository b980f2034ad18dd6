import { describe, expect, it } from 'vitest';
import { loadProfile } from '../../../sim/hardware/load-profile.js';
import { effectiveThreads } from '../../../sim/machine/cpu-model.js';
import type { TimedKernel } from '../../../sim/machine/kernel.js';
import { stretched } from '../../../sim/machine/npu-unit.js';

describe('threads of the main path', () => {
  it('are prime cores first, each as many mid cores as it is faster', () => {
    const chip = loadProfile('sm8750');
    const profile = { ...chip, cpu: { ...chip.cpu, primeCores: 2, midCoreShare: 0.5 } };
    expect([1, 2, 4].map((threads) => effectiveThreads(profile, threads, 'by-speed'))).toEqual([2, 4, 6]);
    expect(effectiveThreads(profile, 4, 'equal')).toBe(4);
  });
});

describe('an operator beside copies', () => {
  it('has as much of the slower one as was done beside all of them together', () => {
    const kernel = (ms: number): TimedKernel => ({
      ...{ pipelines: [], repeats: 1, dmaBytes: 0, l2Bytes: 0, matrixMacs: 0, tcmPeakBytes: 0, ms },
      busyMs: [ms, 0, 0, 0],
    });
    const copies = [
      { startMs: 0, endMs: 5 },
      { startMs: 10, endMs: 15 },
    ];
    // A quarter beside the first copy, half alone, the last quarter beside the second.
    expect(stretched(kernel(10), kernel(20), copies, 0)).toEqual({ ms: 15, busyMs: [15, 0, 0, 0] });
  });
});
