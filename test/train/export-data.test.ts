import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { generateProblem } from '../../src/score/problems.js';
import { scoreDecoded } from '../../src/score/score-decoded.js';
import { WordTable } from '../../src/score/tokenizer-json.js';
import { END_ID } from '../../src/score/vocabulary.js';
import { exportTrainingData } from '../../src/train/export-data.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

describe('exportTrainingData', () => {
  it('writes the problems as token ids, one after the other', () => {
    const directory = temporaryDirectory();
    try {
      exportTrainingData({ directory, seed: 4, set: 'short', split: 'train', count: 20, first: 3 });
      const file = (name: string): ArrayBuffer => new Uint8Array(readFileSync(join(directory, name))).buffer;
      const tokens = new Uint16Array(file('short-train.tokens.u16'));
      const lengths = new Uint32Array(file('short-train.index.u32'));
      const table = new WordTable();
      let at = 0;
      for (let i = 0; i < 20; i++) {
        const problem = generateProblem(4, 3 + i, 'short', 'train');
        const expected = [...table.encodePrompt(problem.prompt), ...table.encode(problem.response)];
        expect([...tokens.slice(at, at + expected.length)]).toEqual(expected);
        expect((lengths[2 * i] ?? 0) + (lengths[2 * i + 1] ?? 0)).toBe(expected.length);
        at += expected.length;
      }
      expect(tokens.length).toBe(at);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

describe('scoreDecoded', () => {
  it('counts per decoding and per task', () => {
    const table = new WordTable();
    const line = (index: number, policy: string, right: boolean) => {
      const ids = table.encode(generateProblem(1, index, 'short').response);
      return { set: 'short' as const, view: 'v', policy, index, ids: right ? [...ids, END_ID] : [END_ID] };
    };
    const scores = scoreDecoded([line(0, 'a', true), line(1, 'a', false), line(0, 'b', true)], 1);
    expect(
      scores.map(({ policy, problems, exact, strict }) => ({ policy, problems, exact, strict })),
    ).toEqual([
      { policy: 'a', problems: 2, exact: 1, strict: 1 },
      { policy: 'b', problems: 1, exact: 1, strict: 1 },
    ]);
    const kinds = generateProblem(1, 0, 'short').tasks.map((task) => task.kind);
    for (const kind of kinds) expect(scores[1]?.tasks[kind]).toEqual({ correct: 1, total: 1 });
  });
});
