import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DataError } from '../../src/errors.js';
import { unknownName } from '../../src/util/nearest.js';
import { project } from '../../src/util/project-root.js';
import { parseAs, readJsonAs } from '../../src/util/read-file.js';
import { STACK_NUMBER_NAMES, type StackNumber } from './numbers.js';
import { choicesSchema, type StackFile, stackFileSchema } from './schema.js';
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
 * A shipped stack by name, or a stack file by path (anything with a `/` or ending in `.json`).
 * @throws UsageError with the nearest names for an unknown stack or one that is only to be extended; DataError naming the
 *   field when the file is wrong; EnvironmentError when it cannot be read
 */
export function stackByName(nameOrPath: string): SoftwareStack {
  if (isStackPath(nameOrPath))
    return resolve(chainOf(readJsonAs(nameOrPath, stackFileSchema), nameOrPath), nameOrPath);
  let stack = shipped.get(nameOrPath);
  if (stack === undefined) {
    if (!stackNames().includes(nameOrPath)) throw unknownName('stack', nameOrPath, stackNames());
    stack = resolve(chainOf(shippedFile(nameOrPath), nameOrPath), nameOrPath);
    shipped.set(nameOrPath, stack);
  }
  return stack;
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

/** The file and those it extends, nearest first. */
function chainOf(file: StackFile, origin: string): StackFile[] {
  const chain = [file];
  for (let last = file; last.extends !== undefined; last = chain[chain.length - 1]) {
    if (chain.length > MOST_PARENTS) throw new DataError(`stack ${origin}: extends goes in a circle`);
    if (!fileNames().includes(last.extends)) throw unknownName('stack to extend', last.extends, fileNames());
    chain.push(shippedFile(last.extends));
  }
  return chain;
}

/** What the nearest file says holds. */
function resolve(chain: readonly StackFile[], origin: string): SoftwareStack {
  const [{ name, description, about }] = chain;
  const provenance = {} as Record<StackNumber, SoftwareStack['provenance'][StackNumber]>;
  for (const number of STACK_NUMBER_NAMES) {
    const given = chain.find(({ numbers }) => numbers?.[number] !== undefined)?.numbers?.[number];
    if (given === undefined)
      throw new DataError(`stack ${origin}: numbers.${number} is missing: extend "common"`);
    provenance[number] = given;
  }
  const said: Record<string, unknown> = {};
  for (const key of Object.keys(choicesSchema.shape) as (keyof typeof choicesSchema.shape)[]) {
    said[key] = chain.find((file) => file[key] !== undefined)?.[key];
  }
  const choices = parseAs(said, choicesSchema, `stack ${origin}`);
  return { name, description, about, numbers: valuesOf(provenance), provenance, ...choices };
}
