import { describe, expect, it } from 'vitest';
import { generateProblem, type Problem } from '../../src/score/problems.js';
import { Random } from '../../src/score/random.js';
import { scoreResponse } from '../../src/score/score.js';
import { allWords, CONNECTIVES, LABELS } from '../../src/score/vocabulary.js';

const replaceAll = (text: string, from: readonly string[], to: string): string =>
  text
    .split(' ')
    .map((word) => (from.includes(word) ? to : word))
    .join(' ');

function problemWith(kind: string): Problem {
  for (let i = 0; ; i++) {
    const problem = generateProblem(2, i, 'short');
    if (problem.tasks.some((task) => task.kind === kind)) return problem;
  }
}

describe('scoreResponse', () => {
  it('accepts the response of every problem', () => {
    for (let i = 0; i < 300; i++) {
      const problem = generateProblem(1, i, i % 2 ? 'long' : 'short');
      const score = scoreResponse(problem, problem.response);
      expect(score).toMatchObject({ exact: true, strict: true, consistent: true });
      expect(score.tasks).toHaveLength(problem.tasks.length);
    }
  });

  it('accepts any label and connective, used throughout', () => {
    const problem = generateProblem(1, 0);
    for (const label of LABELS) {
      for (const connective of CONNECTIVES) {
        const text = replaceAll(replaceAll(problem.response, LABELS, label), CONNECTIVES, connective);
        expect(scoreResponse(problem, text).strict).toBe(true);
      }
    }
  });

  it('accepts another connective in one place, but not another label', () => {
    const problem = generateProblem(1, 0);
    const replaceLast = (group: readonly string[]): string => {
      const words = problem.response.split(' ');
      const place = words.findLastIndex((word) => group.includes(word));
      words[place] = group.find((word) => word !== words[place]) ?? '';
      return words.join(' ');
    };
    expect(scoreResponse(problem, replaceLast(CONNECTIVES)).strict).toBe(true);
    const labelled = scoreResponse(problem, replaceLast(LABELS));
    expect(labelled).toMatchObject({ consistent: false, exact: false, strict: false });
  });

  it('never calls a response strict after one of its words has changed, unless it is another free choice', () => {
    const random = new Random(9);
    const known = allWords();
    let strict = 0;
    for (let i = 0; i < 500; i++) {
      const problem = generateProblem(1, i, 'short');
      const words = problem.response.split(' ');
      const place = random.integer(0, words.length - 1);
      const connectives: readonly string[] = CONNECTIVES;
      if (connectives.includes(words[place] ?? '')) continue;
      const other = random.pick(known.filter((word) => word !== words[place]));
      words[place] = other;
      if (scoreResponse(problem, words.join(' ')).strict) strict++;
    }
    expect(strict).toBe(0);
  });

  it('scores a sum by its value and a wrong value as wrong', () => {
    const problem = problemWith('calc');
    const index = problem.tasks.findIndex((task) => task.kind === 'calc');
    const words = problem.response.split(' ');
    const ends = words.flatMap((word, i) => (word === '.' ? [i] : []));
    const place = (ends[index] ?? 0) - 1;
    const value = Number(words[place]);
    words[place] = `0${value}`;
    expect(scoreResponse(problem, words.join(' ')).tasks[index]?.correct).toBe(true);
    words[place] = String((value + 1) % 21);
    expect(scoreResponse(problem, words.join(' ')).tasks[index]?.correct).toBe(false);
  });

  it('does not throw on rubbish', () => {
    const problem = generateProblem(1, 0);
    const random = new Random(4);
    for (const text of ['', '   ', 'task 1 :', 'so so so', '. . .'])
      expect(scoreResponse(problem, text).exact).toBe(false);
    for (let i = 0; i < 200; i++) {
      const text = Array.from({ length: 100 }, () => random.pick(allWords())).join(' ');
      expect(scoreResponse(problem, text).exact).toBe(false);
    }
  });
});
