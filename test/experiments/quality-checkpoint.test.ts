import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openCheckpoint, outcomeKey } from '../../experiments/studies/quality/checkpoint.js';
import type { PolicyOutcome } from '../../experiments/studies/quality/problem-job.js';
import { policySpecByName } from '../../src/decode/policies.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const outcome: PolicyOutcome = {
  exact: true,
  tasksRight: 3,
  tasks: 3,
  forwards: 20,
  rows: 640,
  drafted: 0,
  accepted: 0,
  rowsWasted: 0,
  textTokens: 90,
  tokens: [1, 2, 3],
};

describe('checkpoint of a quality table', () => {
  it('gives back what was finished, also after a kill in the middle of a line', () => {
    const path = join(temporaryDirectory(), 'quality.jsonl');
    openCheckpoint(path, ['a', 'b']).add(1, 7, outcome);
    appendFileSync(path, '{"key":"a","index":7,"outc');
    const again = openCheckpoint(path, ['a', 'b']);
    expect(again.get(1, 7)).toEqual(outcome);
    expect(again.get(0, 7)).toBeUndefined();
    again.add(0, 7, outcome);
    expect(openCheckpoint(path, ['a']).get(0, 7)).toEqual(outcome);
    expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(4);
  });

  it('tells apart whatever changes an outcome, and nothing else', () => {
    const options = { engine: 'ort', seed: 1, genLength: 128, blockLength: null } as const;
    const spec = policySpecByName('threshold');
    const key = outcomeKey(spec, options, 'model');
    expect(outcomeKey({ ...spec, name: 'other', description: 'x' }, options, 'model')).toBe(key);
    expect(outcomeKey({ ...spec, blockLength: 8 }, options, 'model')).not.toBe(key);
    expect(outcomeKey(spec, { ...options, seed: 2 }, 'model')).not.toBe(key);
    expect(outcomeKey(spec, options, 'other')).not.toBe(key);
  });
});
