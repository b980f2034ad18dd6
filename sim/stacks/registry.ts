import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DataError, UsageError } from '../../src/errors.js';
import { unknownName } from '../../src/util/nearest.js';
import { project } from '../../src/util/project-root.js';
import { parseAs, readJsonAs } from '../../src/util/read-file.js';
import { STACK_NUMBER_NAMES, type StackNumber } from './numbers.js';
import {
  choicesSchema,
  type StackChange,
  type StackChoices,
  type StackFile,
  stackFileSchema,
} from './schema.js';
import { type SoftwareStack, valuesOf } from './stack.js';

/** Longer chains of `extends` are a circle. */
const MOST_PARENTS = 8;

const directory = (): string => join(project().root, 'sim', 'stacks');

/** Names of the shipped stack files, those that are only to be extended included. */
function fileNames(): string[] {
  return readdirSync(directory())
    .filter((file) => file.endsWith('.json'))
    .map((file) => basename(file, '.json'))
    .sort();
}

const parsed = new Map<string, StackFile>();
const shipped = new Map<string, SoftwareStack>();
let names: readonly string[] | null = null;

/** Names of all software stacks, sorted. */
export function stackNames(): readonly string[] {
  names ??= fileNames().filter((name) => shippedFile(name).abstract !== true);
  return names;
}

/**
 * A shipped stack by name, as it is now or was at a date (`llama.cpp-hexagon@2026-05`: at the end of that month), or a stack
 * file by path (anything with a `/` or ending in `.json`).
 * @throws UsageError with the nearest names for an unknown stack or one that is only to be extended; DataError naming the
 *   field when the file is wrong; EnvironmentError when it cannot be read
 */
export function stackByName(nameOrPath: string): SoftwareStack {
  if (isStackPath(nameOrPath))
    return resolve(chainOf(readJsonAs(nameOrPath, stackFileSchema), nameOrPath), nameOrPath);
  let stack = shipped.get(nameOrPath);
  if (stack === undefined) {
    const [name, date] = nameOrPath.split('@', 2);
    // Only what is asked for is read; all files are where a name is unknown.
    if (!fileNames().includes(name) || shippedFile(name).abstract === true)
      throw unknownName('stack', name, stackNames());
    stack = resolve(chainOf(shippedFile(name), nameOrPath, date), nameOrPath);
    if (date !== undefined) stack = { ...stack, name: nameOrPath };
    shipped.set(nameOrPath, stack);
  }
  return stack;
}

/**
 * Names of the states a stack went through, oldest first, the last one being that of today: what a source that gives no
 * date may have been. A stack without dated changes has one.
 * @throws UsageError for an unknown stack
 */
export function stackGenerations(name: string): readonly string[] {
  if (!stackNames().includes(name)) throw unknownName('stack', name, stackNames());
  const { since, changes = [] } = shippedFile(name);
  if (since === undefined) return [name];
  return [...new Set([since, ...changes.map(({ date }) => date)])].map((date) => `${name}@${date}`);
}

/**
 * The state of a stack when a thread of its repository was opened: threads are numbered in the order of time.
 * @throws UsageError for an unknown stack
 */
export function stackAtThread(name: string, thread: number): string {
  const [first, ...later] = stackGenerations(name);
  const made = stackChanges(name).filter((change) => Number(/#(\d+)/.exec(change.thread)?.[1]) <= thread);
  const date = made.at(-1)?.date;
  return later.find((state) => state.endsWith(`@${date}`)) ?? first;
}

/** What a stack learnt and when, oldest first. @throws UsageError for an unknown stack */
export function stackChanges(name: string): readonly StackChange[] {
  if (!stackNames().includes(name)) throw unknownName('stack', name, stackNames());
  return shippedFile(name).changes ?? [];
}

/** SHA-256 of a stack as it is used, for results that must name what they were computed with. */
export function stackHash(nameOrPath: string): string {
  return createHash('sha256')
    .update(JSON.stringify(stackByName(nameOrPath)))
    .digest('hex');
}

/** Whether a stack is a file of the user's, not a shipped name. */
export function isStackPath(nameOrPath: string): boolean {
  return nameOrPath.includes('/') || nameOrPath.endsWith('.json');
}

function shippedFile(name: string): StackFile {
  let file = parsed.get(name);
  if (file === undefined) {
    file = readJsonAs(join(directory(), `${name}.json`), stackFileSchema);
    parsed.set(name, file);
  }
  return file;
}

/** What a file says, or a change of it. */
type Saying = Pick<StackFile, 'numbers'> & Partial<StackChoices>;

interface Chain {
  readonly file: StackFile;
  /** Nearest first: the last change of the file, the file, the last change of what it extends... */
  readonly sayings: readonly Saying[];
}

/** @param date of the state of `file`; default today. What it extends is as it is today */
function chainOf(file: StackFile, origin: string, date?: string): Chain {
  const sayings = sayingsOf(file, origin, date);
  let parents = 0;
  for (let last = file; last.extends !== undefined; parents++) {
    if (parents > MOST_PARENTS) throw new DataError(`stack ${origin}: extends goes in a circle`);
    if (!fileNames().includes(last.extends)) throw unknownName('stack to extend', last.extends, fileNames());
    last = shippedFile(last.extends);
    sayings.push(...sayingsOf(last, origin));
  }
  return { file, sayings };
}

/** @throws UsageError for a date before the first state, or one of a stack that has none */
function sayingsOf(file: StackFile, origin: string, date?: string): Saying[] {
  const { since, changes = [] } = file;
  if (date !== undefined && !/^\d{4}-\d{2}(-\d{2})?$/.test(date))
    throw new UsageError(`stack ${origin}: "${date}" is not a date like 2026-05 or 2026-05-28`);
  if (date !== undefined && since === undefined)
    throw new UsageError(`stack ${file.name} has no dated changes: leave out @${date}`);
  if (date !== undefined && since !== undefined && date < since.slice(0, date.length))
    throw new UsageError(`stack ${file.name} is described from ${since} on, not at ${date}`);
  const made = changes.filter((change) => date === undefined || change.date.slice(0, date.length) <= date);
  return [...made.reverse(), file];
}

/** What the nearest file says holds. */
function resolve({ file, sayings: chain }: Chain, origin: string): SoftwareStack {
  const { name, description, about } = file;
  const provenance = {} as Record<StackNumber, SoftwareStack['provenance'][StackNumber]>;
  for (const number of STACK_NUMBER_NAMES) {
    const given = chain.find(({ numbers }) => numbers?.[number] !== undefined)?.numbers?.[number];
    if (given === undefined)
      throw new DataError(`stack ${origin}: numbers.${number} is missing: extend "common"`);
    provenance[number] = given;
  }
  const said: Record<string, unknown> = {};
  for (const key of Object.keys(choicesSchema.shape) as (keyof typeof choicesSchema.shape)[]) {
    said[key] = chain.find((saying) => saying[key] !== undefined)?.[key];
  }
  const choices = parseAs(said, choicesSchema, `stack ${origin}`);
  return { name, description, about, numbers: valuesOf(provenance), provenance, ...choices };
}
