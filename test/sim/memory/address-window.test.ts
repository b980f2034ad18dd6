import { describe, expect, it } from 'vitest';
import { AddressWindow } from '../../../sim/memory/address-window.js';
import { doesNotFit } from '../../../sim/memory/does-not-fit.js';

const window = () =>
  new AddressWindow({ bytes: 400, alignmentBytes: 100, mapperEntries: 4, maxMapBytes: 400 });

describe('an address window', () => {
  it('takes what fits into one gap, rounded up, and nothing more', () => {
    const own = window();
    expect(own.fits(400)).toBe(true);
    expect(own.fits(401)).toBe(false);
    expect(own.map('a', 1)).toBe(0);
    expect(own.map('b', 100)).toBe(100);
    expect(own.map('c', 100)).toBe(200);
    own.unmap('b');
    // Two gaps of 100 are no gap of 200.
    expect([own.fits(100), own.fits(101)]).toEqual([true, false]);
    expect([own.largestFreeBytes, own.fragmentation]).toEqual([100, 0.5]);
    expect(own.map('d', 100)).toBe(100);
  });

  it('is not fragmented when it is full, and takes nothing', () => {
    const own = window();
    own.map('all', 400);
    expect([own.largestFreeBytes, own.fragmentation, own.fits(1)]).toEqual([0, 0, false]);
  });

  it('takes no more mappings than the mapper has entries', () => {
    const own = new AddressWindow({ bytes: 400, alignmentBytes: 100, mapperEntries: 1, maxMapBytes: 400 });
    own.map('a', 100);
    expect([own.entries, own.fits(100)]).toEqual([1, false]);
  });
});

describe('what does not fit', () => {
  it('is said with the largest need, and with what makes it smaller where that is known', () => {
    const said = (what: string) => doesNotFit(400, 100, [{ what, bytes: 300 }]).message;
    expect(said('KV cache')).toMatch(/the largest is KV cache: it grows with the positions$/);
    expect(said('weights')).toMatch(/the largest is weights$/);
  });

  it('is not said to lack bytes where there are enough, and no mapping is left', () => {
    const needs = [
      { what: 'KV cache', bytes: 100 },
      { what: 'weights', bytes: 300 },
    ];
    for (const missing of [0, -50])
      expect(doesNotFit(1000, missing, needs).message).toMatch(
        /^the step does not fit .* 1000 B, whose mapper has no entry left for weights: at/,
      );
    expect(doesNotFit(1000, 1, needs).message).toMatch(/^the step does not fit .* 1000 B, 1 B missing: at/);
  });
});
