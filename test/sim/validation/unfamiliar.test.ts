import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parsePublished } from '../../../sim/validation/published.js';
import { parseCsv } from '../../../src/util/csv.js';
import { readingOf } from './reading-of.js';

/**
 * Rows as readers of threads, papers, model cards and vendors' pages word them, made up for this test: the values are plausible
 * and mean nothing. The last column is what must be timed, or why it is refused.
 */
const TABLES = ['unfamiliar-rows.csv', 'unfamiliar-operators.csv'] as const;

describe.each(TABLES)('%s', (name) => {
  const path = `test/sim/validation/${name}`;
  const text = readFileSync(path, 'utf8');
  const [header = [], ...records] = parseCsv(text);
  const readings = new Map(records.map((record) => [record[0], record[header.indexOf('reading')]]));

  it('is read as a reader would', () => {
    for (const row of parsePublished(text, path))
      expect(`${row.id} ${readingOf(row)}`).toBe(`${row.id} ${readings.get(row.id)}`);
  });

  it('refuses a row by name or times it, and times most', () => {
    const refused = [...readings.values()].filter((reading) => reading?.startsWith('refused: '));
    for (const reading of refused) expect(reading).toMatch(/refused: .{12,}/);
    expect(refused.length / readings.size).toBeLessThan(0.25);
  });
});
