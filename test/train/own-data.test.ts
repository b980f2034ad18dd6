import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ownExamples } from '../../src/train/own-data.js';
import { trainModel } from '../../src/train/train.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

function file(...lines: readonly string[]): string {
  const path = join(temporaryDirectory(), 'data.jsonl');
  writeFileSync(path, lines.join('\n'));
  return path;
}

describe('training on data of your own', () => {
  it('learns from the examples of the file', async () => {
    const data = ownExamples(
      file('{"prompt":"owl","answer":"elk"}', '{"question":"ant","target":"Oz 7"}'),
      'short',
    );
    expect(data.map(({ prompt }) => prompt.length)).toEqual([3, 3]);
    const { losses } = await trainModel({
      data,
      steps: 120,
      batch: 4,
      layers: 1,
      hidden: 16,
      heads: 2,
      ffn: 32,
    });
    const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    expect(mean(losses.slice(-10))).toBeLessThan(mean(losses.slice(0, 10)) / 2);
  });

  it('refuses what it cannot learn from, by number', () => {
    expect(() => ownExamples(file('{"prompt":"owl"}'), 'short')).toThrow(/example 0 has no "answer"/);
    expect(() => ownExamples(file(`{"prompt":"owl","answer":"${'owl '.repeat(64)}"}`), 'short')).toThrow(
      /--set short has 32 \+ 63/,
    );
  });
});
