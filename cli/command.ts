import type { Command } from 'commander';
import { z } from 'zod';
import { UsageError } from '../src/errors.js';
import type { Context } from './io.js';
import { argumentsOf, flagOf, optionsOf, type Shape } from './options-of.js';

/** Options that do something only in a setting. Given elsewhere they are refused rather than ignored. */
export interface Effect<Input> {
  readonly options: readonly (keyof Input & string)[];
  readonly when: (input: Input) => boolean;
  /** Follows `--option has no effect: `. */
  readonly because: string;
}

/** One command: everything but its name and summary, which stand in the list of commands. */
export interface Definition<A extends Shape, O extends Shape> {
  /** Positional, in order. */
  readonly arguments?: A;
  readonly options?: O;
  /** Paragraph below the options. */
  readonly notes?: string;
  /** Command lines after `dllm-npu `. */
  readonly examples: readonly string[];
  readonly effects?: readonly Effect<NoInfer<z.output<z.ZodObject<A & O>>>>[];
  readonly run: (ctx: Context, input: z.output<z.ZodObject<A & O>>) => void | Promise<void>;
}

/** A definition as the list of commands holds it: it declares itself on a command of the program. */
export interface CommandDefinition {
  fill(command: Command, context: () => Context): void;
}

/** Defines a command. Its file is loaded when the command is called, so it may import what it needs. */
export function defineCommand<A extends Shape = Record<never, never>, O extends Shape = Record<never, never>>(
  definition: Definition<A, O>,
): CommandDefinition {
  const args: Shape = definition.arguments ?? {};
  const options: Shape = definition.options ?? {};
  const { notes, examples, effects = [], run } = definition;
  const schema = z.object({ ...args, ...options } as unknown as A & O);
  return {
    fill(command, context) {
      for (const argument of argumentsOf(args)) command.addArgument(argument);
      for (const option of optionsOf(options)) command.addOption(option);
      command.addHelpText('after', `${notes === undefined ? '' : `\n${notes}\n`}${examplesText(examples)}`);
      command.action(async () => {
        const typed: Record<string, unknown> = { ...command.opts() };
        for (const [at, name] of Object.keys(args).entries()) typed[name] = command.processedArgs[at];
        const input = schema.parse(typed);
        for (const { options: idle, when, because } of effects) {
          const given = idle.find((name) => command.getOptionValueSource(name) === 'cli');
          if (given !== undefined && !when(input)) {
            throw new UsageError(`${flagOf(given, options[given])} has no effect: ${because}`);
          }
        }
        await run(context(), input);
      });
    },
  };
}

function examplesText(examples: readonly string[]): string {
  const lines = examples.map((example) => `\n  $ dllm-npu ${example}`);
  return `\n${examples.length === 1 ? 'Example' : 'Examples'}:${lines.join('')}`;
}
