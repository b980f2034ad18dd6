import type { Command } from 'commander';
import type { PolicySpec } from '../src/decode/spec.js';
import type { LoadedModel } from '../src/model/load.js';
import type { Tokenizer } from '../src/model/tokenizer.js';
import type { Problem } from '../src/score/problems.js';
import { integer } from './numbers.js';
import { requireTokenizer } from './prompt.js';

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

export interface ChosenProblem {
  readonly index: number;
  readonly problem: Problem;
  readonly promptIds: readonly number[];
}

export interface ChosenProblems {
  readonly spec: PolicySpec;
  readonly model: LoadedModel;
  readonly tokenizer: Tokenizer;
  readonly problems: readonly ChosenProblem[];
}

/**
 * Loads what was asked for. The caller closes `model.weights`.
 * @throws UsageError for an unknown policy or model, or a model without a tokenizer
 */
export async function chooseProblems(options: ProblemOptions): Promise<ChosenProblems> {
  const { loadModel } = await import('../src/model/load.js');
  const { encodePrompt } = await import('../src/model/prompt.js');
  const { generateProblem } = await import('../src/score/problems.js');
  const { seed, firstIndex } = options;
  const spec = await policyWithBlocks(options.policy, options.blockLength);
  const model = await loadModel(options.model);
  const tokenizer = requireTokenizer(model);
  const problems = Array.from({ length: options.n }, (_, at) => {
    const index = firstIndex + at;
    const problem = generateProblem(seed, index, 'long', 'heldout');
    return { index, problem, promptIds: encodePrompt(tokenizer, problem.prompt) };
  });
  return { spec, model, tokenizer, problems };
}

/** A named policy, with blocks of another length if one is given. @throws UsageError with the nearest names */
export async function policyWithBlocks(name: string, blockLength: number | undefined): Promise<PolicySpec> {
  const { policySpecByName } = await import('../src/decode/policies.js');
  const { parsePolicySpec } = await import('../src/decode/spec.js');
  const named = policySpecByName(name);
  return parsePolicySpec(blockLength === undefined ? named : { ...named, blockLength });
}
