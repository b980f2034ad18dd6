import type { PolicySpec } from '../../src/decode/spec.js';
import { encodePrompt } from '../../src/model/prompt.js';
import { generateProblem, type Problem } from '../../src/score/problems.js';
import { openModel, openSpec, type TextModel } from './open.js';
import type { CasesSetup, MethodSetup } from './setup.js';

/** A held-out problem of the shipped task, ready to decode. */
export interface ChosenProblem {
  readonly index: number;
  readonly problem: Problem;
  readonly promptIds: readonly number[];
}

/** Held-out problems with the model and the method that are to answer them. */
export interface ChosenProblems {
  readonly spec: PolicySpec;
  readonly model: TextModel;
  readonly problems: readonly ChosenProblem[];
}

/** Which problems, by which model and method. */
export interface ProblemsSetup extends Partial<MethodSetup>, Omit<CasesSetup, 'genLength'> {
  readonly policy: string;
  readonly model: string;
}

/**
 * Loads what was asked for. The caller closes `model.weights`.
 * @throws UsageError for an unknown policy or model, or a model without a tokenizer
 */
export async function openProblems(setup: ProblemsSetup): Promise<ChosenProblems> {
  const { policy, options = {}, blockLength = null, seed, firstCase, cases } = setup;
  const spec = openSpec({ policy, options, blockLength });
  const model = await openModel(setup.model);
  return { spec, model, problems: heldoutProblems(model, seed, firstCase, cases) };
}

/** Long problems that the shipped model was not trained on. */
export function heldoutProblems(
  { tokenizer }: Pick<TextModel, 'tokenizer'>,
  seed: number,
  first: number,
  count: number,
): ChosenProblem[] {
  return Array.from({ length: count }, (_, at) => {
    const index = first + at;
    const problem = generateProblem(seed, index, 'long', 'heldout');
    return { index, problem, promptIds: encodePrompt(tokenizer, problem.prompt) };
  });
}
