import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataError } from '../../src/errors.js';
import { formatCsv, parseCsv } from '../../src/util/csv.js';

describe('CSV', () => {
  it('reads quoted fields, doubled quotes, both line ends and a byte-order mark', () => {
    expect(parseCsv('\uFEFFa,b\r\n"x, ""y""",\n\n"two\nlines",z')).toEqual([
      ['a', 'b'],
      ['x, "y"', ''],
      ['two\nlines', 'z'],
    ]);
    expect(parseCsv('')).toEqual([]);
    expect(parseCsv('a\n')).toEqual([['a']]);
    expect(parseCsv('a\rb\r')).toEqual([['a'], ['b']]);
  });

  it('refuses what it cannot read instead of dropping it', () => {
    expect(() => parseCsv('a,b\n"x,y')).toThrow(/malformed CSV in record 2: unbalanced quotes/);
    expect(() => parseCsv('"x"y,z')).toThrow(DataError);
  });

  it('returns what was written, whatever the fields hold', () => {
    const table = fc.array(fc.array(fc.string(), { minLength: 2, maxLength: 4 }), { minLength: 1 });
    fc.assert(
      fc.property(table, (records) => {
        expect(parseCsv(formatCsv(records))).toEqual(records);
      }),
    );
  });

  it('quotes only what needs it', () => {
    expect(formatCsv([['a,b', 'c"d', null, 1.5, true]])).toBe('"a,b","c""d",,1.5,true\n');
  });
});
