import { type Choices, letter, type Problem, renderResponse } from './problems.js';
import { answerWords, canSwap, type Task, type TaskChoice, type TaskKind } from './tasks.js';
import { CONNECTIVES, LABELS } from './vocabulary.js';

export interface TaskScore {
  kind: TaskKind;
  /** The answer (the words after the connective) has the right value. */
  correct: boolean;
}

/** How a response fares against its problem. */
export interface ResponseScore {
  tasks: TaskScore[];
  /** One label word throughout. */
  consistent: boolean;
  /** Every answer is right and the label is consistent: the headline number. */
  exact: boolean;
  /** Also every word of the working is one an accepted response would have. */
  strict: boolean;
}

interface Segment {
  label: string;
  body: string[];
}

/** Scores generated text against a problem; any free choices are accepted if the label is kept. */
export function scoreResponse(problem: Problem, text: string): ResponseScore {
  const words = text.trim().split(/\s+/);
  const segments = problem.tasks.map((_, i) => findSegment(words, letter(i)));
  const tasks = problem.tasks.map((task, i) => ({
    kind: task.kind,
    correct: isCorrect(task, segments[i]?.body ?? []),
  }));
  const labels = new Set(segments.map((segment) => segment?.label));
  const consistent = labels.size === 1;
  const exact = consistent && tasks.every((task) => task.correct);
  return { tasks, consistent, exact, strict: exact && isStrict(problem, segments, words) };
}

/** The text from "<label> <letter> :" to the next full stop. */
function findSegment(words: readonly string[], name: string): Segment | undefined {
  for (let i = 0; i + 2 < words.length; i++) {
    const label = words[i];
    if (!isOneOf(LABELS, label) || words[i + 1] !== name || words[i + 2] !== ':') continue;
    const rest = words.slice(i + 3);
    const end = rest.indexOf('.');
    return { label, body: end < 0 ? rest : rest.slice(0, end) };
  }
  return undefined;
}

function isCorrect(task: Task, body: readonly string[]): boolean {
  const split = connectiveAt(body);
  if (split < 0) return false;
  const choice = readChoice(task, body);
  if (choice === undefined) return false;
  const expected = answerWords(task, choice);
  const answer = body.slice(split + 1);
  return answer.length === expected.length && answer.every((word, i) => sameValue(word, expected[i]));
}

/** The free choices a body made, or undefined if it made an impossible one. */
function readChoice(task: Task, body: readonly string[]): TaskChoice | undefined {
  const connective = body[connectiveAt(body)] ?? '';
  if (task.kind === 'pick') {
    const [, first = '', and, second = ''] = body;
    if (and !== 'and' || first === second) return undefined;
    if (!task.items.includes(first) || !task.items.includes(second)) return undefined;
    return { connective, swapped: false, pair: [first, second] };
  }
  const swapped = task.kind === 'calc' && canSwap(task) && body[1] === String(task.steps[0]?.value);
  return { connective, swapped, pair: ['', ''] };
}

function connectiveAt(body: readonly string[]): number {
  return body.findLastIndex((word) => isOneOf(CONNECTIVES, word));
}

function isStrict(
  problem: Problem,
  segments: readonly (Segment | undefined)[],
  words: readonly string[],
): boolean {
  const tasks = problem.tasks.map((task, i) => readChoice(task, segments[i]?.body ?? []));
  if (tasks.includes(undefined)) return false;
  const choices: Choices = { label: segments[0]?.label ?? '', tasks: tasks.filter((c) => c !== undefined) };
  return words.join(' ') === renderResponse(problem.tasks, choices);
}

/** "07" and "7" are the same number; words must be equal. */
function sameValue(given: string, expected: string): boolean {
  return (
    given === expected ||
    (/^\d+$/.test(given) && /^\d+$/.test(expected) && Number(given) === Number(expected))
  );
}

function isOneOf(values: readonly string[], word: string): boolean {
  return values.includes(word);
}
