import { UsageError } from '../../src/errors.js';

/**
 * A word that a POSIX shell reads back as exactly this text: everything inside single quotes is plain, and a single
 * quote itself is put between two quoted parts.
 * @throws UsageError for a NUL, which no argument can hold
 */
export function quoteForShell(text: string): string {
  if (text.includes('\0')) throw new UsageError('an argument cannot hold a NUL character');
  return `'${text.replaceAll("'", "'\\''")}'`;
}

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

export interface ShellCommand {
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/**
 * Script of a command, for a shell that can only be given text. The shell sees quoted words alone.
 *
 * What it says on standard error is framed by lines that start with `mark`: first `mark pid N` (the shell's process,
 * which leads its own group), last `mark exit N`, or `mark cwd` / `mark missing` when the command could not be started.
 * Without a last line the connection broke or somebody killed the shell: its exit code then means nothing.
 *
 * @throws UsageError for what no program can be started with
 */
export function shellScript({ argv, env = {}, cwd }: ShellCommand, mark: string): string {
  const [program = '', ...args] = argv;
  if (program === '') throw new UsageError('nothing to run');
  const lines = [`echo ${mark} pid $$ >&2`];
  if (cwd !== undefined)
    lines.push(`cd ${quoteForShell(cwd)} 2>/dev/null || { echo ${mark} cwd >&2; exit 1; }`);
  for (const [name, value] of Object.entries(env)) {
    if (!VARIABLE.test(name)) throw new UsageError(`${name} is no name of an environment variable`);
    lines.push(`export ${name}=${quoteForShell(value)}`);
  }
  lines.push(
    `command -v ${quoteForShell(program)} >/dev/null 2>&1 || { echo ${mark} missing >&2; exit 127; }`,
    `${[...plainProgram(program), ...args.map(quoteForShell)].join(' ')}`,
    'code=$?',
    `echo ${mark} exit $code >&2`,
    'exit $code',
  );
  return lines.join('\n');
}

/** A bare name goes through `env`, so that a program called like something built into the shell is still the program. */
function plainProgram(program: string): string[] {
  if (program.includes('/')) return [quoteForShell(program)];
  if (program.startsWith('-') || program.includes('='))
    throw new UsageError(`${program} is no name of a program`);
  return ['env', quoteForShell(program)];
}
