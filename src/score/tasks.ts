import type { Random } from './random.js';
import { ANIMALS, COLOURS, NAMES, PLACES, type TASK_WORDS, THINGS } from './vocabulary.js';

export type TaskKind = (typeof TASK_WORDS)[number];

/** One small task as data. The prompt, the response and the score are all derived from it. */
export type Task =
  | { kind: 'sort'; items: string[] }
  | { kind: 'flip'; items: string[] }
  | { kind: 'calc'; first: number; steps: { operator: '+' | '-'; value: number }[] }
  | { kind: 'go'; start: string; links: { from: string; to: string }[] }
  | { kind: 'count'; target: string; items: { thing: string; colour: string }[] }
  | { kind: 'pick'; items: string[] }
  | { kind: 'find'; name: string; records: { name: string; value: number }[] };

/** What a response may choose freely within one task. */
export interface TaskChoice {
  /** The word before the answer. */
  connective: string;
  /** `calc`: write the first sum with its operands exchanged. */
  swapped: boolean;
  /** `pick`: the two items taken, in any order. */
  pair: readonly [string, string];
}

/** Fewest and most. */
type Span = readonly [number, number];

/** How much a task asks for. */
export interface TaskSizes {
  /** Items of `sort`, `flip` and `pick`. */
  readonly items: Span;
  /** Sums of `calc`. */
  readonly sums: Span;
  /** Links on the path of `go`. */
  readonly links: Span;
  /** Things of `count`. */
  readonly things: Span;
  /** Records of `find`. */
  readonly records: Span;
}

/** What the shipped model was trained on. */
export const USUAL_SIZES: TaskSizes = {
  items: [3, 5],
  sums: [3, 5],
  links: [3, 3],
  things: [3, 5],
  records: [3, 5],
};

/** Longer paths, more things and more records than the shipped model was trained on: it is often unsure, and often wrong. */
export const HARD_SIZES: TaskSizes = {
  items: [4, 5],
  sums: [3, 5],
  links: [3, 4],
  things: [5, 6],
  records: [5, 7],
};

/** A span of one value takes no random number. */
function draw([low, high]: Span, random: Random): number {
  return low === high ? low : random.integer(low, high);
}

/** What `count` counts is always this: comparing with a colour that varies was too hard for the model. */
const COUNTED_COLOUR = 'red';
const LARGEST_TOTAL = 9;
const LARGEST_OPERAND = 3;

/**
 * The words still unused in one problem. No two tasks share words (numbers apart), so that a look-up (what comes after
 * "lab"?) has a single answer in the prompt.
 */
export class Pools {
  private readonly words = {
    animals: [...ANIMALS] as string[],
    digits: Array.from({ length: 10 }, (_, digit) => String(digit)),
    places: [...PLACES] as string[],
    things: [...THINGS] as string[],
    names: [...NAMES] as string[],
  };

  take(pool: 'animals' | 'digits' | 'places' | 'things' | 'names', count: number, random: Random): string[] {
    const taken = random.sample(this.words[pool], count);
    this.words[pool] = this.words[pool].filter((word) => !taken.includes(word));
    return taken;
  }
}

function makeCalc(random: Random, { sums }: TaskSizes): Task {
  const first = random.integer(1, LARGEST_TOTAL);
  const steps: { operator: '+' | '-'; value: number }[] = [];
  const length = draw(sums, random);
  while (steps.length < length) {
    const step = { operator: random.pick(['+', '-'] as const), value: random.integer(1, LARGEST_OPERAND) };
    const result = total(first, [...steps, step]);
    if (result >= 0 && result <= LARGEST_TOTAL) steps.push(step);
  }
  return { kind: 'calc', first, steps };
}

function makeGo(random: Random, pools: Pools, sizes: TaskSizes): Task {
  const length = draw(sizes.links, random);
  const path = pools.take('places', length + 3, random);
  const link = (i: number) => ({ from: at(path, i), to: at(path, i + 1) });
  const links = Array.from({ length }, (_, i) => link(i));
  // One more link that is not on the path: following it would be a mistake.
  links.push(link(length + 1));
  return { kind: 'go', start: at(path, 0), links: random.shuffle(links) };
}

function makeCount(random: Random, pools: Pools, sizes: TaskSizes): Task {
  const target = COUNTED_COLOUR;
  const others = COLOURS.filter((colour) => colour !== target);
  const things = pools.take('things', draw(sizes.things, random), random);
  const items = things.map((thing) => ({
    thing,
    colour: random.next() < 0.5 ? target : random.pick(others),
  }));
  return { kind: 'count', target, items };
}

function makeFind(random: Random, pools: Pools, sizes: TaskSizes): Task {
  const records = pools.take('names', draw(sizes.records, random), random).map((name) => ({
    name,
    value: random.integer(0, 9),
  }));
  return { kind: 'find', name: random.pick(records).name, records };
}

/** A random task of the given kind, from words that `pools` still has. */
export function makeTask(kind: TaskKind, random: Random, pools: Pools, sizes: TaskSizes = USUAL_SIZES): Task {
  switch (kind) {
    case 'sort':
    case 'pick':
      return { kind, items: pools.take('animals', draw(sizes.items, random), random) };
    case 'flip':
      return { kind, items: pools.take('digits', draw(sizes.items, random), random) };
    case 'calc':
      return makeCalc(random, sizes);
    case 'go':
      return makeGo(random, pools, sizes);
    case 'count':
      return makeCount(random, pools, sizes);
    case 'find':
      return makeFind(random, pools, sizes);
  }
}

/** The words that ask for a task. */
export function promptWords(task: Task): string[] {
  switch (task.kind) {
    case 'sort':
    case 'flip':
    case 'pick':
      return [task.kind, ...task.items];
    case 'calc':
      return ['calc', String(task.first), ...task.steps.flatMap((s) => [s.operator, String(s.value)])];
    case 'go':
      return ['go', task.start, ':', ...joined(task.links.map((l) => [l.from, l.to]))];
    case 'count':
      return ['count', task.target, ':', ...task.items.flatMap((item) => [item.thing, item.colour])];
    case 'find':
      return ['find', task.name, ':', ...task.records.flatMap((r) => [r.name, String(r.value)])];
  }
}

/** The words that answer a task, worked out step by step, with the given choice. */
export function responseWords(task: Task, choice: TaskChoice): string[] {
  const answer = [choice.connective, ...answerWords(task, choice)];
  switch (task.kind) {
    case 'sort':
    case 'flip':
      return [task.kind, ...task.items, ...answer];
    case 'pick':
      return ['pick', choice.pair[0], 'and', choice.pair[1], ...answer];
    case 'calc':
      return ['calc', ...chain(task, choice.swapped), ...answer];
    case 'go':
      return ['go', ...follow(task), ...answer];
    case 'count': {
      let seen = 0;
      const tally = task.items.flatMap(({ thing, colour }) => {
        if (colour === task.target) seen++;
        return [thing, colour, String(seen)];
      });
      return ['count', task.target, ':', ...tally, ...answer];
    }
    case 'find':
      return ['find', task.name, ...answerWords(task, choice), ...answer];
  }
}

/** The words after the connective: what is scored. */
export function answerWords(task: Task, choice: TaskChoice): string[] {
  switch (task.kind) {
    case 'sort':
      return [...task.items].sort();
    case 'flip':
      return [...task.items].reverse();
    case 'calc':
      return [String(total(task.first, task.steps))];
    case 'go':
      return follow(task).slice(-1);
    case 'count':
      return [String(task.items.filter((item) => item.colour === task.target).length)];
    case 'pick':
      return ['left', ...task.items.filter((item) => !choice.pair.includes(item))];
    case 'find': {
      const record = task.records.find((r) => r.name === task.name);
      if (record === undefined) throw new Error(`no record of ${task.name}`);
      return [String(record.value)];
    }
  }
}

/** True if the first sum of a `calc` may be written either way round. */
export function canSwap(task: Task): boolean {
  return task.kind === 'calc' && task.steps[0]?.operator === '+' && task.steps[0].value !== task.first;
}

/** Every result stands once: one that is written twice is learned by copying, not by computing. */
function chain({ first, steps }: Extract<Task, { kind: 'calc' }>, swapped: boolean): string[] {
  const words = steps.flatMap(({ operator, value }, i) => {
    if (i > 0) return ['=', total(first, steps.slice(0, i)), operator, value];
    return swapped ? [value, operator, first] : [first, operator, value];
  });
  return words.map(String);
}

function total(first: number, steps: readonly { operator: '+' | '-'; value: number }[]): number {
  return steps.reduce((sum, { operator, value }) => (operator === '+' ? sum + value : sum - value), first);
}

function follow(task: Extract<Task, { kind: 'go' }>): string[] {
  const path = [task.start];
  for (;;) {
    const link = task.links.find((l) => l.from === path.at(-1));
    if (link === undefined) return path;
    path.push(link.to);
  }
}

function joined(groups: string[][]): string[] {
  return groups.flatMap((group, i) => (i === 0 ? group : [',', ...group]));
}

function at<T>(values: readonly T[], i: number): T {
  const value = values[i];
  if (value === undefined) throw new Error(`no element ${i}`);
  return value;
}
