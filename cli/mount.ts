import type { Command } from 'commander';
import { UsageError } from '../src/errors.js';
import { nearest } from '../src/util/nearest.js';
import type { CommandDefinition } from './command.js';
import type { Context } from './io.js';

/** A command by name: what the list prints about it, and the one place that loads it. */
export interface Leaf {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<{ readonly command: CommandDefinition }>;
}

/** Commands under one name. */
export interface Group {
  readonly name: string;
  readonly summary: string;
  readonly notes?: string;
  readonly commands: readonly Entry[];
}

export type Entry = Leaf | Group;

/**
 * Puts commands on a program. Only what is called is loaded; of the rest the help has name and summary.
 * @param words operands of the command line: `['hardware', 'list']`; null loads everything
 * @throws UsageError with the nearest names for a command that does not exist
 */
export async function mount(
  parent: Command,
  entries: readonly Entry[],
  words: readonly string[] | null,
  context: () => Context,
): Promise<void> {
  const [word, ...rest] = words ?? [];
  for (const entry of entries) {
    const called = words === null || entry.name === word;
    const command = parent.command(entry.name).description(entry.summary);
    if ('commands' in entry) {
      if (entry.notes !== undefined) command.addHelpText('after', `\n${entry.notes}`);
      await mount(command, entry.commands, words === null ? null : called ? rest : [], context);
    } else if (called) (await entry.load()).command.fill(command, context);
  }
  if (word !== undefined && !entries.some(({ name }) => name === word)) {
    throw unknownCommand([...pathOf(parent), word].join(' '), namesOf(entries, pathOf(parent)));
  }
}

/** Words of a command after the program's name. */
function pathOf(command: Command): string[] {
  return command.parent === null ? [] : [...pathOf(command.parent), command.name()];
}

function namesOf(entries: readonly Entry[], path: readonly string[]): string[] {
  return entries.flatMap((entry) => {
    const own = [...path, entry.name];
    return 'commands' in entry ? [own.join(' '), ...namesOf(entry.commands, own)] : [own.join(' ')];
  });
}

function unknownCommand(name: string, known: readonly string[]): UsageError {
  const close = nearest(name, known);
  const hint = close.length > 0 ? `did you mean ${close.join(', ')}?` : '--help lists what there is';
  return new UsageError(`unknown command "${name}": ${hint}`);
}
