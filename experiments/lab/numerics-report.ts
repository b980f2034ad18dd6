import type { PolicySpec } from '../../src/decode/spec.js';
import { compareEngines, type EngineComparison } from '../../src/engine/compare/compare-engines.js';
import type { Engine } from '../../src/engine/engine.js';
import { fileSha256 } from '../../src/model/load.js';
import type { Quant } from '../../src/model/precision.js';
import { textLength } from '../../src/model/text-length.js';
import { scoreResponse } from '../../src/score/score.js';
import type { TextModel } from './open.js';
import { openPolicy } from './open.js';
import type { ChosenProblem } from './problems.js';

export const NUMERICS_SCHEMA = 'dllm-npu/numerics@1';

/** What an engine's arithmetic changes beside a reference. */
export interface NumericsReport extends Omit<EngineComparison, 'answers' | 'states'> {
  readonly schema: typeof NUMERICS_SCHEMA;
  readonly model: { readonly name: string; readonly sha256: string };
  /** Format that the weights were converted to, or `as stored`. */
  readonly weights: string;
  readonly problems: { readonly n: number; readonly firstIndex: number; readonly seed: number };
  readonly genLength: number;
  readonly exactAnswers: { readonly reference: number; readonly engine: number };
  readonly divergences: readonly (NonNullable<EngineComparison['answers'][number]['first']> & {
    readonly problem: number;
    readonly differentTokens: number;
  })[];
  readonly gitCommit?: string;
}

/** Two engines on the same weights, and what they decode. */
export interface NumericsRequest {
  readonly spec: PolicySpec;
  readonly model: TextModel;
  readonly problems: readonly ChosenProblem[];
  readonly reference: Engine;
  readonly engine: Engine;
  /** Format that the weights were converted to; undefined: as stored. */
  readonly quant?: Quant;
  readonly cases: number;
  readonly firstCase: number;
  readonly seed: number;
  readonly genLength: number;
  readonly nearTie: number;
  readonly gitCommit?: string;
}

export async function numericsReport(
  request: NumericsRequest,
  hooks: { readonly signal?: AbortSignal; readonly onProgress?: (done: number, total: number) => void },
): Promise<NumericsReport> {
  const { spec, model, problems, reference, engine, genLength, nearTie } = request;
  const policy = openPolicy(spec);
  const compared = await compareEngines({
    reference,
    engine,
    problems,
    policy,
    genLength,
    nearTie,
    ...hooks,
  });
  const exact = (tokens: readonly number[], at: number): boolean => {
    const text = model.tokenizer.decode(tokens.slice(0, textLength(tokens, model.config.endIds)));
    return scoreResponse(problems[at].problem, text).exact;
  };
  const { answers, states: _, ...rest } = compared;
  return {
    schema: NUMERICS_SCHEMA,
    ...rest,
    model: { name: model.config.name, sha256: await fileSha256(model.weightsPath) },
    weights: request.quant ?? 'as stored',
    problems: { n: request.cases, firstIndex: request.firstCase, seed: request.seed },
    genLength,
    exactAnswers: {
      reference: answers.filter(({ reference: tokens }, at) => exact(tokens, at)).length,
      engine: answers.filter(({ engine: tokens }, at) => exact(tokens, at)).length,
    },
    divergences: answers.flatMap(({ problem, differentTokens, first }) =>
      first === null ? [] : [{ problem, differentTokens, ...first }],
    ),
    gitCommit: request.gitCommit,
  };
}
