import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatTable, visibleWidth, wrapText } from '../../src/util/table.js';

const columns = [
  { header: ['name'], align: 'left' },
  { header: ['busy', '%'], align: 'right' },
] as const;

describe('formatTable', () => {
  it('aligns columns and puts short headers on the rule', () => {
    expect(
      formatTable(columns, [
        ['dma', '7'],
        ['matrix', '100'],
      ]),
    ).toBe(['        busy', 'name       %', '------  ----', 'dma        7', 'matrix   100'].join('\n'));
  });

  it('does not count colour', () => {
    const plain = formatTable(columns, [['dma', '7']]).split('\n');
    const colored = formatTable(columns, [['\u001b[31mdma\u001b[39m', '7']]).split('\n');
    expect(colored.map(visibleWidth)).toEqual(plain.map(visibleWidth));
  });

  it('narrows the gap only when it must', () => {
    const wide = formatTable(columns, [['dma', '7']], { gap: 3, maxWidth: 40 });
    const narrow = formatTable(columns, [['dma', '7']], { gap: 3, maxWidth: 10 });
    expect(wide).toContain('----   ----');
    expect(narrow).toContain('---- ----');
  });
});

describe('wrapText', () => {
  it('keeps every word, in order, and the width', () => {
    const words = fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(words, fc.integer({ min: 20, max: 80 }), fc.constantFrom('', '  '), (list, width, lead) => {
        const lines = wrapText(lead + list.join(' '), width, '  ').split('\n');
        expect(
          lines
            .join(' ')
            .split(/\s+/)
            .filter((word) => word !== ''),
        ).toEqual(list);
        for (const line of lines) {
          expect(line.length).toBeLessThanOrEqual(width);
          expect(line.startsWith(lead)).toBe(true);
        }
      }),
    );
  });
});
