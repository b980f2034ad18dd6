import { Command, CommanderError } from 'commander';
import { DllmError } from '../src/errors.js';
import { project } from '../src/util/project-root.js';
import { COMMANDS } from './commands/index.js';
import { Context, type GlobalOptions, type Io } from './io.js';
import { mount } from './mount.js';
import { REMOVED_OPTIONS } from './removed.js';

/** Exit code when a file, a device or an output is the reason. */
export const ENVIRONMENT = 3;

/** Conventional exit code of a program ended by Ctrl-C: 128 + SIGINT. */
export const INTERRUPTED = 130;

/**
 * Runs one command line. Never throws and never ends the process.
 *
 * @param argv arguments after the program's name
 * @returns exit code: 0 ok, 1 failed check or damaged data, 2 wrong usage, 3 environment, 130 interrupted
 */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  const program = createProgram(io);
  try {
    const line = helpAsOption(argv);
    const words = line.filter((word) => !word.startsWith('-'));
    await mount(program, COMMANDS, words, () => new Context(io, program.opts<GlobalOptions>()));
    if (argv.length === 0) {
      program.outputHelp();
      return 0;
    }
    await program.parseAsync(line, { from: 'user' });
    return io.signal.aborted ? interrupted(io) : 0;
  } catch (error) {
    if (io.signal.aborted) return interrupted(io);
    return report(error, io, argv.includes('--debug'));
  }
}

/** `help hardware list` as `hardware list --help`; all options before the name of a command are flags. */
function helpAsOption(argv: readonly string[]): string[] {
  const at = argv.findIndex((word) => !word.startsWith('-'));
  return argv[at] === 'help' ? [...argv.slice(0, at), ...argv.slice(at + 1), '--help'] : [...argv];
}

function createProgram(io: Io): Command {
  return new Command('dllm-npu')
    .description('Take apart, time and check decoding methods of diffusion language models on mobile NPUs.')
    .version(project().version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help; after a command, its help')
    .helpCommand('help [command...]', 'print the help of a command')
    .option('--json', 'print data only (JSON) on standard output')
    .option('--no-color', 'no colours (also: NO_COLOR; never when piped)')
    .option('--debug', 'print the stack of an error')
    .showSuggestionAfterError()
    .exitOverride()
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      outputError: (text, write) => write(oneLine(text)),
      getOutHelpWidth: () => Math.min(io.stdout.columns ?? 100, 100),
      getErrHelpWidth: () => Math.min(io.stderr.columns ?? 100, 100),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .addHelpText('after', EXAMPLES);
}

const EXAMPLES = `
Examples:
  $ dllm-npu ablate                                 the ladder of llada.cpp, a minute or two
  $ dllm-npu generate "PROMPT" --policy llada.cpp --watch
  $ dllm-npu simulate step --rows 32,64,128         what one denoising step costs on a phone
  $ dllm-npu hardware show sm8750                   every number of a profile and its source`;

/** Commander puts its suggestion on a second line, or has none. */
function oneLine(text: string): string {
  const line = text.trim().replace(/\s*\n\s*/g, ' ');
  const removed = REMOVED_OPTIONS[/unknown option '([^']+)'/.exec(line)?.[1] ?? ''];
  if (removed !== undefined) return `${line.replace(/ \(Did you.*/, '')}: ${removed}\n`;
  const lost = line.startsWith('error: unknown option') && !line.includes('Did you mean');
  return `${line}${lost ? ' (--help lists what there is)' : ''}\n`;
}

function report(error: unknown, io: Io, debug: boolean): number {
  if (error instanceof CommanderError) {
    // Commander has printed its message already; asking for help is no error.
    return error.exitCode === 0 ? 0 : 2;
  }
  if (debug && error instanceof Error) io.stderr.write(`${error.stack ?? error.message}\n`);
  if (error instanceof DllmError) {
    if (!debug) io.stderr.write(`error: ${error.message}\n`);
    return error.exitCode;
  }
  const message = error instanceof Error ? error.message : String(error);
  if (isOfTheSystem(error)) {
    if (!debug) io.stderr.write(`error: ${message}\n`);
    return ENVIRONMENT;
  }
  if (!debug) {
    io.stderr.write(`internal error: ${message} (a bug; --debug prints where)\n`);
  }
  return 1;
}

/** What the file system or another call of the operating system refused, and nobody named better on the way here. */
function isOfTheSystem(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && 'errno' in error;
}

function interrupted(io: Io): number {
  io.stderr.write('interrupted\n');
  return INTERRUPTED;
}
