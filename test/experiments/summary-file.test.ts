import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatSummary,
  parseSummary,
  readSummary,
  writeSummary,
} from '../../experiments/studies/ladder/summary-file.js';
import { DataError } from '../../src/errors.js';
import { syntheticSummary } from '../support/synthetic-summary.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const path = () => join(temporaryDirectory(), 'summary.json');

describe('summary.json', () => {
  it('comes back as it was written, whatever text it holds', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' }), { maxLength: 5 }), (notes) => {
        const summary = { ...syntheticSummary(), notes };
        expect(parseSummary(JSON.parse(formatSummary(summary)), 'test')).toEqual(summary);
      }),
      { numRuns: 30 },
    );
  });

  it('survives text that looks like its own brackets', () => {
    const notes = ['[\n 1,\n 2\n]', '{\n "a": 1\n}', '\\"[ {', 'a  b , c'];
    const file = path();
    writeSummary(file, { ...syntheticSummary(), notes });
    expect(readSummary(file).notes).toEqual(notes);
  });

  it('has the same bytes for the same content', () => {
    const file = path();
    writeSummary(file, syntheticSummary());
    const first = readFileSync(file, 'utf8');
    writeSummary(file, readSummary(file));
    expect(readFileSync(file, 'utf8')).toBe(first);
  });

  it.each([
    ['an unknown key', (s: Record<string, unknown>) => ({ ...s, extra: 1 }), /extra/],
    ['another schema', (s: Record<string, unknown>) => ({ ...s, schema: 'other@1' }), /schema/],
    ['no rows', (s: Record<string, unknown>) => ({ ...s, rows: [] }), /rows/],
    ['a short hash', (s: Record<string, unknown>) => ({ ...s, configHash: 'abc' }), /configHash.*SHA-256/],
  ])('refuses %s, naming file and item', (_, change, message) => {
    const raw = change(JSON.parse(JSON.stringify(syntheticSummary())));
    const file = path();
    writeFileSync(file, JSON.stringify(raw));
    expect(() => readSummary(file)).toThrow(DataError);
    expect(() => readSummary(file)).toThrow(message);
    expect(() => readSummary(file)).toThrow(file);
  });

  it('refuses an interval that does not hold its median', () => {
    const summary = syntheticSummary();
    const [row, ...rest] = summary.rows;
    const broken = { ...row!, latency_s: { median: 1, low: 2, high: 3, samples: [1] } };
    expect(() => formatSummary({ ...summary, rows: [broken, ...rest] })).toThrow(
      /rows\.0\.latency_s.*low <= median/,
    );
  });

  it('refuses a carpet whose states do not fill its length', () => {
    const summary = syntheticSummary();
    const [carpet] = summary.carpet;
    const steps = carpet!.steps.map((step, i) =>
      i === 2 ? { ...step, states: step.states.slice(1) } : step,
    );
    expect(() => formatSummary({ ...summary, carpet: [{ ...carpet!, steps }] })).toThrow(
      /step 2: 64 positions/,
    );
  });

  it('refuses a cut file', () => {
    const file = path();
    writeFileSync(file, formatSummary(syntheticSummary()).slice(0, 500));
    expect(() => readSummary(file)).toThrow(DataError);
  });
});
