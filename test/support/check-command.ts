import { Command, type Option } from 'commander';
import { COMMANDS } from '../../cli/commands/index.js';
import { mount } from '../../cli/mount.js';

const root = new Command('dllm-npu')
  .option('-V, --version')
  .option('--json')
  .option('--no-color')
  .option('--debug');
await mount(root, COMMANDS, null, () => {
  throw new Error('commands are checked, not run');
});

/** Words of a command line, quotes taken off as a shell does. */
export function shellWords(line: string): string[] {
  const words = line.match(/(?:"[^"]*"|'[^']*'|\\.|[^\s"'\\])+/g) ?? [];
  return words.map((word) =>
    word.replace(/"([^"]*)"|'([^']*)'|\\(.)/g, (_, double, single, escaped) => double ?? single ?? escaped),
  );
}

/**
 * Whether the program has a command with these options and arguments, and takes their values. Nothing is run.
 * @param line `dllm-npu device compare --backend htp`
 * @returns what is wrong; null when nothing is
 */
export function checkCommand(line: string): string | null {
  const [name, ...words] = shellWords(line);
  if (name !== 'dllm-npu') return `${name} is not dllm-npu`;
  let command = root;
  const options: Option[] = [...root.options];
  const seen = new Set<Option>();
  const args: string[] = [];
  while (words.length > 0) {
    const word = words.shift()!;
    if (word === '--help' || word === '-h') return null;
    if (/^--?[a-z]/.test(word)) {
      const [flag = '', inline] = word.split(/=(.*)/s);
      const option = options.find(({ long, short }) => long === flag || short === flag);
      if (option === undefined) return `${path(command)} has no option ${flag}`;
      seen.add(option);
      if (!option.required && !option.optional) continue;
      const value = inline ?? words.shift();
      if (value === undefined) return `${flag} needs a value`;
      const wrong = checkValue(option, value);
      if (wrong !== null) return `${flag}: ${wrong}`;
      continue;
    }
    const next = args.length > 0 ? undefined : command.commands.find((child) => child.name() === word);
    if (next === undefined) args.push(word);
    else {
      command = next;
      options.push(...next.options);
    }
  }
  if (command.commands.length > 0) {
    return args.length > 0 ? `${path(command)} has no command ${args[0]}` : null;
  }
  const lacking = command.options.find((option) => option.mandatory && !seen.has(option));
  if (lacking !== undefined) return `${path(command)} needs ${lacking.long}`;
  const { registeredArguments: wanted } = command;
  const needed = wanted.filter(({ required }) => required).length;
  if (args.length < needed) return `${path(command)} needs ${wanted[args.length]!.name()}`;
  if (args.length > wanted.length && !wanted.at(-1)?.variadic) {
    return `${path(command)} takes no argument ${args[wanted.length]}`;
  }
  return null;
}

function path(command: Command): string {
  return command.parent === null ? command.name() : `${path(command.parent)} ${command.name()}`;
}

function checkValue(option: Option, value: string): string | null {
  // A placeholder stands for whatever the reader has.
  if (/^[A-Z][A-Z_]*$/.test(value)) return null;
  try {
    option.parseArg?.(value, option.defaultValue as never);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
