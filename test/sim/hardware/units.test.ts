import fc from 'fast-check';
import { unit } from 'mathjs';
import { describe, expect, it } from 'vitest';
import { toBase } from '../../../sim/hardware/units.js';

const BASES = {
  ms: ['s', 'ms', 'us', 'ns'],
  B: ['B', 'kB', 'MB', 'GB', 'TB', 'KiB', 'MiB', 'GiB', 'TiB'],
  'GB/s': ['B/s', 'MB/s', 'GB/s', 'GiB/s', 'kB / ms', 'B/ns'],
  GHz: ['Hz', 'kHz', 'MHz', 'GHz'],
  'ms/MB': ['us/MB', 'ms/MB', 'ns/B', 's/GB', 'us / MiB'],
  W: ['W', 'mW', 'uW'],
  pJ: ['pJ', 'nJ', 'uJ', 'mJ', 'J'],
  'pJ/B': ['pJ/B', 'nJ/kB', 'J/GB'],
} as const;

const quantities = fc
  .constantFrom(...Object.entries(BASES))
  .chain(([base, units]) =>
    fc.tuple(fc.constant(base), fc.constantFrom(...units), fc.double({ min: 0, max: 1e12, noNaN: true })),
  );

describe('toBase', () => {
  it('agrees with mathjs to the last digit', () => {
    fc.assert(
      fc.property(quantities, ([base, name, value]) => {
        expect(toBase(`${value} ${name}`, base)).toBe(unit(`${value} ${name}`).toNumber(base));
      }),
      { numRuns: 2000 },
    );
  });

  it('leaves other units to mathjs', () => {
    expect(toBase('8 Gb/s', 'GB/s')).toBeCloseTo(1, 12);
    expect(toBase('2 minutes', 'ms')).toBeCloseTo(120_000, 6);
    expect(toBase('5 J/s', 'W')).toBeCloseTo(5, 12);
  });

  it('tells what is no quantity from what is another one', () => {
    expect(toBase('60 GB/x', 'GB/s')).toBe('unknown');
    expect(toBase('fast', 'GB/s')).toBe('unknown');
    expect(toBase('60 GB', 'GB/s')).toBe('wrong dimension');
    expect(toBase('60 us', 'GB/s')).toBe('wrong dimension');
  });
});
