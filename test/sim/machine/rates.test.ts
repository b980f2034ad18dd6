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
