import type { Command } from 'commander';
import { type ChosenProblems, openProblems } from '../experiments/lab/problems.js';
import { integer } from './numbers.js';

/** What is decoded and how; shared by every command that decodes held-out problems to compare something. */
export interface ProblemOptions {
  readonly policy: string;
  readonly n: number;
  readonly firstIndex: number;
  readonly seed: number;
  readonly model: string;
  readonly genLength: number;
  readonly blockLength?: number;
}

/** Defaults of a command; without a policy the user has to name one. */
export interface ProblemDefaults {
  readonly n: number;
  readonly policy?: string;
  readonly genLength?: number;
}

export function addProblemOptions(
  command: Command,
  { n, policy, genLength = 128 }: ProblemDefaults,
): Command {
  if (policy === undefined) command.requiredOption('--policy <name>', 'decoding policy, see `policies`');
  else command.option('--policy <name>', 'decoding policy, see `policies`', policy);
  return command
    .option('--n <problems>', 'held-out problems of the shipped task', integer(1), n)
    .option('--first-index <n>', 'index of the first problem', integer(0), 0)
    .option('--seed <n>', 'seed of the problems', integer(0), 1)
    .option('--model <name>', 'shipped model, directory or .gguf file', 'tiny-llada')
    .option('--gen-length <n>', 'positions to generate', integer(1), genLength)
    .option('--block-length <n>', "positions per block (default: the policy's)", integer(1));
}

/**
 * Loads what was asked for. The caller closes `model.weights`.
 * @throws UsageError for an unknown policy or model, or a model without a tokenizer
 */
export function chooseProblems(options: ProblemOptions): Promise<ChosenProblems> {
  const { n: cases, firstIndex: firstCase } = options;
  return openProblems({
    ...options,
    options: {},
    blockLength: options.blockLength ?? null,
    cases,
    firstCase,
  });
}
