import { describe, expect, it } from 'vitest';
import { loadProfile } from '../../../sim/hardware/load-profile.js';
import { fittedOrAssumed, provenanceEntries } from '../../../sim/hardware/provenance.js';
import type { Quantity } from '../../../sim/hardware/quantity.js';

const base = { value: 1, text: 'as written', kind: 'assumed', source: 'nowhere' } as const;
const ranged = (dimension: Quantity['dimension'], range: readonly [number, number]) =>
  provenanceEntries({ it: { ...base, dimension, range } })[0]?.range;

describe('provenance of a result', () => {
  it('states ranges with units, free of conversion noise', () => {
    expect(ranged('time', [0.00019999999999999998, 0.005])).toBe('200 ns .. 5 us');
    expect(ranged('time', [0, 5])).toBe('0 ms .. 5 ms');
    expect(ranged('bytes', [65536, 2 ** 31])).toBe('64 KiB .. 2 GiB');
    expect(ranged('timePerByte', [0.0475, 1])).toBe('47.5 us/MB .. 1 ms/MB');
    expect(ranged('fraction', [0.333, 0.5])).toBe('0.333 .. 0.5');
    expect(ranged('count', [131072, 1048576])).toBe('131072 .. 1048576');
  });

  it('keeps every number of a profile, and finds those nobody published', () => {
    const { provenance } = loadProfile('sm8750');
    const entries = provenanceEntries(provenance, 'chip.');
    expect(entries.map(({ name }) => name)).toEqual(Object.keys(provenance).map((name) => `chip.${name}`));
    const assumed = Object.values(provenance).filter(({ kind }) => kind === 'fitted' || kind === 'assumed');
    expect(fittedOrAssumed(entries)).toHaveLength(assumed.length);
    expect(assumed.length).toBeGreaterThan(0);
  });
});
