import { generateProblem, type ProblemSet } from './problems.js';
import { scoreResponse } from './score.js';
import { WordTable } from './tokenizer-json.js';

/** One line of `tools/train/evaluate.py`'s output: a decoded canvas of a held-out problem. */
export interface DecodedLine {
  set: ProblemSet;
  view: string;
  policy: string;
  index: number;
  ids: number[];
}

/** Counts for one decoding of one set. */
export interface DecodedScore {
  set: ProblemSet;
  view: string;
  policy: string;
  problems: number;
  exact: number;
  strict: number;
  consistent: number;
  tasks: Record<string, { correct: number; total: number }>;
}

/** Scores decoded held-out problems of generator `seed`, grouped by set, view and policy. */
export function scoreDecoded(lines: Iterable<DecodedLine>, seed: number): DecodedScore[] {
  const table = new WordTable();
  const groups = new Map<string, DecodedScore>();
  for (const { set, view, policy, index, ids } of lines) {
    const key = `${set} ${view} ${policy}`;
    const group = groups.get(key) ?? {
      set,
      view,
      policy,
      problems: 0,
      exact: 0,
      strict: 0,
      consistent: 0,
      tasks: {},
    };
    groups.set(key, group);
    const score = scoreResponse(generateProblem(seed, index, set), table.decode(ids));
    group.problems++;
    group.exact += Number(score.exact);
    group.strict += Number(score.strict);
    group.consistent += Number(score.consistent);
    for (const { kind, correct } of score.tasks) {
      const task = group.tasks[kind] ?? { correct: 0, total: 0 };
      group.tasks[kind] = task;
      task.total++;
      task.correct += Number(correct);
    }
  }
  return [...groups.values()];
}
