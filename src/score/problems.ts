import { hashText, Random } from './random.js';
import {
  canSwap,
  HARD_SIZES,
  makeTask,
  Pools,
  promptWords,
  responseWords,
  type Task,
  type TaskChoice,
  USUAL_SIZES,
} from './tasks.js';
import { CONNECTIVES, LABELS, LETTERS, TASK_WORDS } from './vocabulary.js';

/**
 * `long` fills the paper's 128-token response; `short` is for quick runs; `hard` is `long` with larger tasks than the
 * shipped model was trained on, so that it is unsure.
 */
export type ProblemSet = 'long' | 'short' | 'hard';
export type Split = 'train' | 'heldout';

/** Everything a response may choose; it must keep to its label throughout. */
export interface Choices {
  label: string;
  tasks: TaskChoice[];
}

export interface Problem {
  set: ProblemSet;
  split: Split;
  seed: number;
  index: number;
  tasks: Task[];
  prompt: string;
  /** One of the accepted responses, chosen at random. */
  response: string;
}

/** Limits in tokens; `prompt` includes the two tokens of the template. */
export const LIMITS = {
  long: { tasks: [7, 7], prompt: 96, response: [90, 124], canvas: 128 },
  hard: { tasks: [7, 7], prompt: 100, response: [90, 126], canvas: 128 },
  short: { tasks: [2, 3], prompt: 32, response: [9, 62], canvas: 64 },
} as const;

const HELDOUT_SHARE = 1 / 16;

/** Held-out and training problems are told apart by their prompt alone, so they cannot overlap. */
export function splitOf(prompt: string): Split {
  return hashText(prompt) < HELDOUT_SHARE * 4294967296 ? 'heldout' : 'train';
}

/** Problem `index` of a set: the same arguments give the same problem on every machine. */
export function generateProblem(
  seed: number,
  index: number,
  set: ProblemSet = 'long',
  split: Split = 'heldout',
): Problem {
  const random = new Random(hashText(`${set} ${split} ${seed} ${index}`));
  const limits = LIMITS[set];
  const sizes = set === 'hard' ? HARD_SIZES : USUAL_SIZES;
  for (;;) {
    const pools = new Pools();
    const kinds = random.sample(TASK_WORDS, random.integer(limits.tasks[0], limits.tasks[1]));
    const tasks = kinds.map((kind) => makeTask(kind, random, pools, sizes));
    const prompt = tasks.flatMap((task, i) => [letter(i), ...promptWords(task)]).join(' ');
    const response = renderResponse(tasks, drawChoices(tasks, random));
    const length = countWords(response);
    if (countWords(prompt) + 2 > limits.prompt) continue;
    if (length < limits.response[0] || length > limits.response[1]) continue;
    if (splitOf(prompt) !== split) continue;
    return { set, split, seed, index, tasks, prompt, response };
  }
}

/** The response that makes exactly these choices. */
export function renderResponse(tasks: readonly Task[], choices: Choices): string {
  return tasks
    .flatMap((task, i) => {
      const choice = choices.tasks[i];
      if (choice === undefined) throw new Error(`no choice for task ${i + 1}`);
      return [choices.label, letter(i), ':', ...responseWords(task, choice), '.'];
    })
    .join(' ');
}

function drawChoices(tasks: readonly Task[], random: Random): Choices {
  return {
    label: random.pick(LABELS),
    tasks: tasks.map((task) => {
      const [first, second] = task.kind === 'pick' ? random.sample(task.items, 2) : [];
      return {
        connective: random.pick(CONNECTIVES),
        swapped: canSwap(task) && random.next() < 0.5,
        pair: [first ?? '', second ?? ''],
      };
    }),
  };
}

/** What the task at `index` is called. */
export function letter(index: number): string {
  const name = LETTERS[index];
  if (name === undefined) throw new Error(`no letter for task ${index}`);
  return name;
}

/** One word is one token in this vocabulary. */
function countWords(text: string): number {
  return text.split(' ').length;
}
