import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apportioned } from '../../src/util/apportion.js';
import { bytesText } from '../../src/util/bytes.js';
import { thousands } from '../../src/util/thousands.js';

it('bytes are said with three digits and a unit', () => {
  expect([0, 1023, 1024, 28_311_552, 3_355_443_200, -2048].map(bytesText)).toEqual([
    '0 B',
    '1023 B',
    '1 KiB',
    '27 MiB',
    '3.13 GiB',
    '-2 KiB',
  ]);
  expect(bytesText(1024 * 1024 - 1)).toBe('1 MiB');
});

it('whole numbers have commas, as the language itself writes them', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (n) => {
      expect(thousands(n)).toBe(n.toLocaleString('en'));
    }),
  );
});

describe('apportioned parts', () => {
  it('add up to the total as it is shown, each next to its value', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1000, noNaN: true }), { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 0, max: 3 }),
        (parts, decimals) => {
          const total = parts.reduce((sum, part) => sum + part, 0);
          const shown = apportioned(parts, total, decimals);
          const unit = 10 ** -decimals;
          expect(shown.reduce((sum, part) => sum + part, 0)).toBeCloseTo(Number(total.toFixed(decimals)), 6);
          for (const [i, part] of shown.entries())
            expect(Math.abs(part - parts[i])).toBeLessThanOrEqual(unit * 1.000001);
        },
      ),
    );
  });
});
