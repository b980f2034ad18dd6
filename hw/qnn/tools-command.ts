import { basename } from 'node:path';
import { z } from 'zod';
import { NET_RUN_PROFILES, PROFILING_LEVELS } from '../choices.js';
import { DeviceError, lastLine } from '../device-error.js';
import type { CommandRunner } from '../runner/command-runner.js';
import { toolOptions } from '../tool-options.js';

/** Where the graph comes from: a context binary, or a DLC that is prepared on the spot. */
const graphSchema = z.union([
  z.strictObject({ context: z.string().min(1) }),
  z.strictObject({
    dlc: z.string().min(1),
    /** libQnnModelDlc.so */ loader: z.string().min(1),
  }),
]);

const netRunSchema = z
  .strictObject({
    backend: z.string().min(1),
    graph: graphSchema,
    inputList: z.string().min(1),
    outputDirectory: z.string().min(1),
    configFile: z.string().min(1).optional(),
    profilingLevel: z.enum(PROFILING_LEVELS).optional(),
    optrace: z.boolean().default(false),
    perfProfile: z.enum(NET_RUN_PROFILES).optional(),
    logLevel: z.enum(['error', 'warn', 'info', 'verbose', 'debug']).optional(),
  })
  .refine(({ optrace, profilingLevel }) => !optrace || profilingLevel === 'detailed', {
    message: 'optrace needs profilingLevel detailed',
  });

export type NetRunOptions = z.input<typeof netRunSchema>;

/**
 * Arguments of qnn-net-run; names and values as Qualcomm's Python package qairt-dev 0.13.0 builds them. Files are always in the tensors' own types: without the two native flags the tool takes
 * every file for float32 and reads a quantised graph wrongly without a word.
 * @throws UsageError naming the option
 */
export function netRunArgs(options: NetRunOptions): string[] {
  const { backend, graph, inputList, outputDirectory, ...rest } = toolOptions(
    'qnn-net-run',
    netRunSchema,
    options,
  );
  return [
    '--backend',
    backend,
    ...('context' in graph
      ? ['--retrieve_context', graph.context]
      : ['--model', graph.loader, '--dlc_path', graph.dlc]),
    '--input_list',
    inputList,
    '--output_dir',
    outputDirectory,
    '--use_native_input_files',
    '--use_native_output_files',
    ...(rest.configFile === undefined ? [] : ['--config_file', rest.configFile]),
    ...(rest.profilingLevel === undefined ? [] : ['--profiling_level', rest.profilingLevel]),
    ...(rest.optrace ? ['--profiling_option', 'optrace'] : []),
    ...(rest.perfProfile === undefined ? [] : ['--perf_profile', rest.perfProfile]),
    ...(rest.logLevel === undefined ? [] : ['--log_level', rest.logLevel]),
  ];
}

const generatorSchema = z.strictObject({
  /** Backend of this machine (x86), even when the context is for a phone. */
  backend: z.string().min(1),
  dlc: z.string().min(1),
  loader: z.string().min(1),
  /** Name without `.bin`. */
  binary: z.string().regex(/^[^/\\]+$/, 'is a name, not a path'),
  outputDirectory: z.string().min(1),
  configFile: z.string().min(1).optional(),
});

export type GeneratorOptions = z.input<typeof generatorSchema>;

/** Arguments of qnn-context-binary-generator. @throws UsageError naming the option */
export function generatorArgs(options: GeneratorOptions): string[] {
  const { backend, dlc, loader, binary, outputDirectory, ...rest } = toolOptions(
    'qnn-context-binary-generator',
    generatorSchema,
    options,
  );
  return [
    '--backend',
    backend,
    '--model',
    loader,
    '--dlc_path',
    dlc,
    '--binary_file',
    binary,
    '--output_dir',
    outputDirectory,
    ...(rest.configFile === undefined ? [] : ['--config_file', rest.configFile]),
  ];
}

/** Arguments of qnn-context-binary-utility. */
export function utilityArgs(context: string, jsonFile: string): string[] {
  return ['--context_binary', context, '--json_file', jsonFile];
}

/** Arguments of qnn-profile-viewer. */
export function viewerArgs(log: string, csvFile: string): string[] {
  return ['--input_log', log, '--output', csvFile];
}

/** Flags of a command line: its words that start with two dashes. */
const flagsOf = (args: readonly string[]): string[] => args.filter((arg) => arg.startsWith('--'));

/**
 * Asks a tool for its help and refuses flags that it does not list: versions of the SDK differ, and a flag that is passed
 * over silently would make a run mean something else.
 * @throws DeviceError when the tool does not start, or naming the flag
 */
export async function requireFlags(
  runner: CommandRunner,
  tool: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const { stdout, stderr } = await runner.exec({ argv: [tool, '--help'], env, repeatable: true });
  const help = `${stdout}\n${stderr}`;
  const listed = new Set(help.match(/--[a-z][a-z0-9_]*/g) ?? []);
  if (listed.size === 0) {
    const said = lastLine(stderr);
    throw refused(`${basename(tool)} --help tells nothing${said === '' ? '' : ` (${said})`}`);
  }
  const unknown = flagsOf(args).find((flag) => !listed.has(flag));
  if (unknown !== undefined) throw refused(`${basename(tool)} of this SDK does not know ${unknown}`);
}

function refused(reason: string): DeviceError {
  return new DeviceError({ kind: 'refused', stage: 'tool', reason }, 'Use QAIRT 2.40 or newer');
}
