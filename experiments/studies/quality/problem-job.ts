import { composePolicy, type DecodingPolicy } from '../../../src/decode/method/compose.js';
import { decode } from '../../../src/decode/method/session.js';
import { policySpecByName } from '../../../src/decode/policies.js';
import type { Engine } from '../../../src/engine/engine.js';
import { openEngine } from '../../../src/engine/registry.js';
import { UsageError } from '../../../src/errors.js';
import { fileSha256, loadModel } from '../../../src/model/load.js';
import { encodePrompt } from '../../../src/model/prompt.js';
import type { Tokenizer } from '../../../src/model/tokenizer.js';
import { generateProblem } from '../../../src/score/problems.js';
import { scoreResponse } from '../../../src/score/score.js';
import { outcomeKey } from './checkpoint.js';
import type { QualityOptions } from './options.js';

/** One problem under one policy. Plain data: it crosses threads. */
export interface PolicyOutcome {
  readonly exact: boolean;
  readonly tasksRight: number;
  readonly tasks: number;
  readonly forwards: number;
  readonly rows: number;
  /** Exact speculation: states drafted, accepted, and rows of the others. */
  readonly drafted: number;
  readonly accepted: number;
  readonly rowsWasted: number;
  /** Tokens before the end of text. */
  readonly textTokens: number;
  /** Generated tokens, to say whether two policies wrote the same. */
  readonly tokens: readonly number[];
}

export interface ProblemOutcome {
  readonly index: number;
  /** In the order of the policies that were asked for. */
  readonly policies: readonly PolicyOutcome[];
}

export interface QualityContext {
  readonly engine: Engine;
  readonly tokenizer: Tokenizer;
  readonly policies: readonly DecodingPolicy[];
  /** Identity of every policy's outcomes, see `outcomeKey`. */
  readonly keys: readonly string[];
  readonly modelSha256: string;
}

/** Loads the model and composes the policies. The caller disposes the engine. */
export async function openQuality(options: QualityOptions): Promise<QualityContext> {
  const { blockLength } = options;
  const policies = options.policies.map((name) => {
    const spec = policySpecByName(name);
    return composePolicy(blockLength === null ? spec : { ...spec, blockLength });
  });
  const model = await loadModel(options.model);
  if (model.tokenizer === null) {
    throw new UsageError(`model ${options.model} has no tokenizer.json beside its weights`);
  }
  const engine = await openEngine(options.engine, model);
  const modelSha256 = await fileSha256(model.weightsPath);
  await model.weights.close();
  const keys = options.policies.map((name) => outcomeKey(policySpecByName(name), options, modelSha256));
  return { engine, tokenizer: model.tokenizer, policies, keys, modelSha256 };
}

/**
 * Decodes and scores one problem: the pairs of the comparison.
 * @param which indices of the policies to run; default all
 */
export async function runProblem(
  context: QualityContext,
  options: QualityOptions,
  index: number,
  signal?: AbortSignal,
  which: readonly number[] = context.policies.map((_, policy) => policy),
): Promise<ProblemOutcome> {
  const { engine, tokenizer } = context;
  const problem = generateProblem(options.seed, index, 'long', 'heldout');
  const promptIds = encodePrompt(tokenizer, problem.prompt);
  const policies: PolicyOutcome[] = [];
  for (const policy of which.map((at) => context.policies[at])) {
    const { tokens, counters } = await decode({
      policy,
      engine,
      promptIds,
      genLength: options.genLength,
      ...(signal === undefined ? {} : { signal }),
    });
    const end = tokens.indexOf(engine.config.eosId);
    const score = scoreResponse(problem, tokenizer.decode(end < 0 ? tokens : tokens.slice(0, end)));
    policies.push({
      exact: score.exact,
      tasksRight: score.tasks.filter((task) => task.correct).length,
      tasks: score.tasks.length,
      forwards: counters.nfe,
      rows: counters.mainRows + counters.sideRows,
      drafted: counters.statesDrafted,
      accepted: counters.statesAccepted,
      rowsWasted: counters.rowsWasted,
      textTokens: counters.textTokens,
      tokens,
    });
  }
  return { index, policies };
}
