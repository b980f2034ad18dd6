import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { PRINT_WIDTH, printLadder } from '../../experiments/studies/ladder/print.js';
import type { AblationRow, AblationSummary } from '../../experiments/studies/ladder/types.js';
import { syntheticSummary } from '../support/synthetic-summary.js';

function withRow(index: number, change: Partial<AblationRow>): AblationSummary {
  const summary = syntheticSummary();
  return { ...summary, rows: summary.rows.map((row, i) => (i === index ? { ...row, ...change } : row)) };
}

const line = (text: string, start: string) => text.split('\n').find((l) => l.startsWith(start)) ?? '';

describe('printLadder', () => {
  it('prints a row as it always did', () => {
    const text = printLadder(syntheticSummary(), false);
    expect(line(text, '+ MBSD')).toBe(
      '+ MBSD             66.0 [60.7, 71.3] 1.14   8.94  118 1.08 62/81/44/12 3.17/0.47 90 [70, 97] 97 % same   59.8    10.2',
    );
  });

  it('fits its width and needs no colour', () => {
    const plain = printLadder(syntheticSummary(), false);
    expect(plain).not.toContain('\u001b');
    for (const l of plain.split('\n')) expect(l.length).toBeLessThanOrEqual(PRINT_WIDTH);
    expect(stripVTControlCharacters(printLadder(syntheticSummary(), true))).toBe(plain);
    expect(printLadder(syntheticSummary(), true)).toContain('\u001b');
  });

  it('states no speed-up for a row that failed its check', () => {
    const failed = withRow(4, {
      token_exact: { verdict: 'diverges', against: 'CPU + prefix KV', agreement: 0.5 },
    });
    expect(line(printLadder(failed, false), '+ SOMR')).toMatch(/^\+ SOMR +75\.0 +- +- +132 .*DIVERGES/);
  });

  it('does not take tokens that came out equal by chance for a pass', () => {
    const lucky = withRow(8, { token_exact: { verdict: 'exact', against: '+ SLS', reason: 'approximate' } });
    const colored = line(stripVTControlCharacters(printLadder(lucky, true)), '+ SCR');
    expect(colored).toContain('same here');
    expect(printLadder(lucky, true)).not.toContain('\u001b[32msame here');
  });

  it('never rounds a difference away', () => {
    const near = withRow(8, {
      token_exact: { verdict: 'not-expected', against: '+ SLS', agreement: 0.9999 },
    });
    expect(line(printLadder(near, false), '+ SCR')).toContain('99.9 % same');
  });

  it('shows what does not exist as absent, not as zero', () => {
    const cpu = line(printLadder(withRow(0, { paper_s: null, paper_speedup: undefined }), false), 'CPU ');
    expect(cpu).toMatch(/ - +-$/);
  });

  it('names the models, the assumed numbers and the first divergence', () => {
    const text = printLadder(syntheticSummary(), false);
    expect(text).toContain('synthetic-model (1,048,576 parameters');
    expect(text).toContain('1 of its numbers is fitted or assumed');
    expect(text).toContain('first at prompt 3, position 41, step 12');
    expect(text).toContain('No row is a measurement on');
  });
});
