import { describe, expect, it } from 'vitest';
import { generateProblem, LIMITS, splitOf } from '../../src/score/problems.js';
import { TASK_WORDS } from '../../src/score/vocabulary.js';

const words = (text: string): number => text.split(' ').length;

describe('generateProblem', () => {
  it('gives the same problem for the same seed and index', () => {
    for (let i = 0; i < 50; i++) expect(generateProblem(3, i)).toEqual(generateProblem(3, i));
    expect(generateProblem(3, 0).prompt).not.toBe(generateProblem(4, 0).prompt);
    expect(generateProblem(3, 0).prompt).not.toBe(generateProblem(3, 1).prompt);
  });

  it('keeps problem 0 of the held-out set as published', () => {
    expect(generateProblem(1, 0).prompt).toMatchInlineSnapshot(
      `"A calc 6 - 2 - 3 + 1 B sort cat cow elk C flip 9 0 6 2 D count red : mop pink bag red jar blue E go dam : zoo gym , lab sea , dam inn , inn zoo F pick owl dog rat bat G find Dan : Dan 5 Ida 4 Ann 2 Max 8 Eva 2"`,
    );
  });

  it.each(['long', 'short', 'hard'] as const)('keeps the %s set within its limits', (set) => {
    const limits = LIMITS[set];
    const kinds = new Set<string>();
    let total = 0;
    for (let i = 0; i < 400; i++) {
      const problem = generateProblem(5, i, set);
      for (const task of problem.tasks) kinds.add(task.kind);
      expect(words(problem.prompt) + 2).toBeLessThanOrEqual(limits.prompt);
      expect(words(problem.response)).toBeGreaterThanOrEqual(limits.response[0]);
      expect(words(problem.response)).toBeLessThanOrEqual(limits.response[1]);
      expect(words(problem.response)).toBeLessThan(limits.canvas);
      total += words(problem.response);
    }
    expect([...kinds].sort()).toEqual([...TASK_WORDS].sort());
    if (set === 'long') expect(total / 400).toBeGreaterThanOrEqual(95);
  });

  it('never gives a held-out prompt to training', () => {
    const heldout = new Set(
      Array.from({ length: 500 }, (_, i) => generateProblem(1, i, 'short', 'heldout').prompt),
    );
    for (let i = 0; i < 2000; i++) {
      const { prompt } = generateProblem(1, i, 'short', 'train');
      expect(heldout.has(prompt)).toBe(false);
      expect(splitOf(prompt)).toBe('train');
    }
    for (const prompt of heldout) expect(splitOf(prompt)).toBe('heldout');
  });
});
