import { describe, expect, it } from 'vitest';
import { loadProfile, profileNames } from '../../../sim/hardware/load-profile.js';
import { ratesOf, STREAM_RATES } from '../../../sim/machine/rates.js';

const STREAMS = Object.keys(STREAM_RATES) as (keyof typeof STREAM_RATES)[];

describe('DRAM', () => {
  it('is never given out twice: caps of those at work at once add up to no more', () => {
    for (const name of profileNames()) {
      const profile = loadProfile(name);
      for (const stream of STREAMS) {
        for (const copying of [false, true]) {
          const rates = ratesOf(profile, copying, stream);
          const copy = copying ? 2 * rates.copyBytesPerMs : 0;
          const total = rates.dramBytesPerMs * (1 + 1e-9);
          const beside = [
            rates.dmaBytesPerMs + rates.cpuBesideNpuBytesPerMs,
            rates.cpuBytesPerMs + rates.cpuBesideCpuBytesPerMs,
            rates.npuDramBytesPerMs,
          ];
          for (const taken of beside) expect(copy + taken, `${name} ${stream}`).toBeLessThanOrEqual(total);
        }
      }
    }
  });

  it('lets nobody slow down those who come before', () => {
    const profile = loadProfile('sm8750');
    const alone = ratesOf(profile, false);
    const faster = ratesOf(
      { ...profile, cpu: { ...profile.cpu, readRateBesideNpu: 2 * profile.cpu.readRateBesideNpu } },
      false,
    );
    expect(faster.dmaBytesPerMs).toBe(alone.dmaBytesPerMs);
    expect(faster.cpuBesideNpuBytesPerMs).toBeGreaterThanOrEqual(alone.cpuBesideNpuBytesPerMs);
  });
});

describe('rates of a machine', () => {
  const own = loadProfile('sm8750');
  /** Numbers that tell each other apart; GB/s, GHz. */
  const profile = {
    ...own,
    dram: { ...own.dram, achievableRate: 64 },
    cpu: { ...own.cpu, readRate: 40, readRateBesideNpu: 20, sharedCopyRate: 8 },
    npu: {
      ...own.npu,
      clock: 2,
      vectorThreads: 4,
      matrixMacsPerCycle: 1000,
      dequantWeightsPerCycle: 16,
      convertElementsPerCycle: 8,
      dmaRate: 50,
      dmaRateBesideMatrix: 30,
      dmaBypassRate: 56,
      dmaBypassRateBesideMatrix: 60,
      dmaQueuesRate: 100,
      directReadRate: 24,
    },
  };

  it('follow from its numbers, each in units per ms', () => {
    expect(ratesOf(profile, false)).toEqual({
      matrixMacsPerMs: 2e9,
      decodeWeightsPerMs: 128e6,
      convertElementsPerMs: 64e6,
      vectorOpsPerMs: 8e6,
      dmaBytesPerMs: 50e6,
      dmaBesideMatrixBytesPerMs: 30e6,
      queuesBytesPerMs: 64e6,
      directBytesPerMs: 24e6,
      dramBytesPerMs: 64e6,
      npuDramBytesPerMs: 64e6,
      cpuBytesPerMs: 40e6,
      // 64 less what DMA takes.
      cpuBesideNpuBytesPerMs: 14e6,
      cpuBesideCpuBytesPerMs: 24e6,
      copyBytesPerMs: 8e6,
    });
  });

  it('are less by twice what a copy moves, which it reads and writes', () => {
    expect(ratesOf(profile, true)).toMatchObject({
      dmaBytesPerMs: 48e6,
      queuesBytesPerMs: 48e6,
      directBytesPerMs: 24e6,
      dramBytesPerMs: 64e6,
      npuDramBytesPerMs: 48e6,
      cpuBytesPerMs: 40e6,
      cpuBesideNpuBytesPerMs: 0,
      cpuBesideCpuBytesPerMs: 8e6,
      copyBytesPerMs: 8e6,
    });
  });

  it('beside the matrix unit are never above those alone', () => {
    expect(ratesOf(profile, false, 'bypass')).toMatchObject({
      dmaBytesPerMs: 56e6,
      dmaBesideMatrixBytesPerMs: 56e6,
    });
    expect(ratesOf(profile, true, 'bypass').dmaBesideMatrixBytesPerMs).toBe(48e6);
  });

  it('of a copy are the least of what cores copy, read beside the NPU, and 90 % of DRAM, each byte twice', () => {
    const copy = (sharedCopyRate: number, readRateBesideNpu: number) =>
      ratesOf({ ...profile, cpu: { ...profile.cpu, sharedCopyRate, readRateBesideNpu } }, true)
        .copyBytesPerMs;
    expect(copy(8, 20)).toBe(8e6);
    expect(copy(8, 12)).toBe(6e6);
    expect(copy(100, 200)).toBeCloseTo(28.8e6, 3);
  });
});
