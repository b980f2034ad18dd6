import { checkLaws } from '../../decode/laws/check.js';
import type { Violation } from '../../decode/laws/law.js';
import { composePolicy } from '../../decode/method/compose.js';
import { misfit } from '../../decode/method/fits.js';
import { type DecodeResult, decode, maskFor } from '../../decode/method/session.js';
import { techniquesOf, withoutLossless } from '../../decode/method/techniques.js';
import { lawsGivenUp } from '../../decode/parts.js';
import type { GivenUp } from '../../decode/rules/law-parts.js';
import type { PolicySpec } from '../../decode/spec.js';
import { hashNumbers } from '../../util/hash-numbers.js';
import type { Engine } from '../engine.js';
import { type Margins, recordMargins } from '../margins.js';
import type { WeightTensors } from '../tfjs/execute.js';
import { verifySteps } from './verify.js';

/** Where two decodes part, or a decode parts from its own specification. */
export interface Divergence {
  readonly problem: number;
  /** `specification`: recomputed without cache and window; otherwise the policy it should agree with. */
  readonly against: string;
  readonly step: number;
  readonly position: number;
  readonly token: number;
  readonly expected: number;
  /** How close the decision was: near 0 is a near-tie, which f32 in another order may turn. */
  readonly logitMargin: number;
}

export interface TechniqueVerdict {
  readonly technique: string;
  /** Policy without it, which the tokens were compared with. */
  readonly against: string;
  /**
   * `baseline`: the same tokens as without it on all problems; `specification`: other tokens, all of which follow from
   * the context the technique gives them; `diverges`: neither, or other tokens though it promises none.
   */
  readonly tokenExactWith: 'baseline' | 'specification' | 'diverges';
  readonly tokens: number;
  readonly differing: number;
  /** First token that differs; null when none does. */
  readonly first: Divergence | null;
}

export interface PolicyReport {
  readonly policy: string;
  readonly engine: string;
  readonly problems: number;
  readonly tokens: number;
  /** Hash of all generated tokens, to compare engines. */
  readonly textHash: number;
  /** Predictions that do not follow from their context, tokens that differ from the lossless twin, broken laws. */
  readonly mismatches: number;
  /** The first of them; null when there is none or only laws are broken. */
  readonly first: Divergence | null;
  readonly specification: {
    readonly rows: number;
    readonly mismatches: number;
    readonly maxConfidenceError: number;
    /** In nats; null where the policy asks for neither drift nor gap, or steps were left out. */
    readonly maxNatsError: number | null;
  };
  /** The same policy without its lossless techniques; null when it has none. */
  readonly twin: { readonly policy: string; readonly tokens: number; readonly mismatches: number } | null;
  /** What each technique preserves, last added first; see `techniquesOf`. */
  readonly techniques: readonly TechniqueVerdict[];
  /** Techniques without which the model cannot be decoded, and why. */
  readonly notCompared: readonly { readonly technique: string; readonly because: string }[];
  readonly laws: {
    readonly violations: readonly (Violation & { readonly problem: number })[];
    readonly givenUp: readonly GivenUp[];
  };
  /** Exact speculation: draft states computed and accepted, and the rows of those that were not. */
  readonly speculation: { readonly drafted: number; readonly accepted: number; readonly rowsWasted: number };
  /** Main-lane forwards, and those of the twin. */
  readonly forwards: { readonly policy: number; readonly twin: number | null };
}

export interface VerifyPolicyOptions {
  readonly engine: Engine;
  /** Weights of the f32 recomputation. */
  readonly weights: WeightTensors;
  readonly spec: PolicySpec;
  readonly problems: readonly { readonly index: number; readonly promptIds: readonly number[] }[];
  readonly genLength: number;
  /** Recomputes every n-th step. */
  readonly every?: number;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** A decode with how close its decisions were. */
export interface DecodeWithMargins extends DecodeResult {
  readonly margins: Margins;
}

/** First position whose token differs, with the step and margin of the decision. Null when equal. */
export function firstDifference(
  run: DecodeWithMargins,
  expected: DecodeWithMargins,
  promptLength: number,
): Omit<Divergence, 'problem' | 'against'> | null {
  let first: Omit<Divergence, 'problem' | 'against'> | null = null;
  run.tokens.forEach((token, index) => {
    if (token === expected.tokens[index]) return;
    const position = promptLength + index;
    for (const { plan, outcomes, transitions } of run.steps) {
      const transition = transitions.findLast((t) => t.position === position && t.token === token);
      if (transition === undefined || (first !== null && first.step <= plan.step)) continue;
      const at = outcomes[0].rows.findIndex(
        (row) => row.position === position && row.confidence === transition.confidence,
      );
      const logitMargin = run.margins.get(plan.passes[0].id)?.[at] ?? Number.NaN;
      first = { step: plan.step, position, token, expected: expected.tokens[index], logitMargin };
      break;
    }
  });
  return first;
}

/**
 * Proves what a policy preserves, on real prompts: every prediction follows from the context its row was entitled to
 * (recomputed in f32 without cache, window or order), lossless techniques change no token, and every law of decoding
 * holds except the parts the policy gives up by name.
 *
 * The active tfjs backend recomputes; start it before (`useBackend`).
 */
export async function verifyPolicy(options: VerifyPolicyOptions): Promise<PolicyReport> {
  const { engine, weights, spec, problems, genLength, every = 1, signal, onProgress } = options;
  const policy = composePolicy(spec);
  const maskId = maskFor(policy, engine.config);
  const twinSpec = withoutLossless(spec);
  const run = async (who: typeof policy, promptIds: readonly number[]): Promise<DecodeWithMargins> => {
    const recorder = recordMargins(engine);
    const result = await decode({
      policy: who,
      engine: recorder.engine,
      promptIds,
      genLength,
      signal,
    });
    return { ...result, margins: recorder.margins };
  };

  // Below the first policy that the model was not trained for there is nothing to compare with.
  const ladder = techniquesOf(spec).map((each) => ({
    ...each,
    because: misfit(each.without, engine.config),
  }));
  const end = ladder.findIndex(({ because }) => because !== null);
  const comparable = end < 0 ? ladder : ladder.slice(0, end);
  const techniques = comparable.map((technique) => ({
    ...technique,
    policy: composePolicy(technique.without),
    differing: 0,
    first: null as Divergence | null,
  }));
  let textHash = 0;
  let first: Divergence | null = null;
  const violations: (Violation & { problem: number })[] = [];
  const own = { rows: 0, mismatches: 0, maxConfidenceError: 0, maxNatsError: null as number | null };
  const twin = { tokens: 0, mismatches: 0 };
  const forwards = { policy: 0, twin: 0 };
  const speculation = { drafted: 0, accepted: 0, rowsWasted: 0 };
  for (const [done, { index: problem, promptIds }] of problems.entries()) {
    onProgress?.(done, problems.length);
    const result = await run(policy, promptIds);
    forwards.policy += result.counters.nfe;
    textHash = hashNumbers(textHash, ...result.tokens);
    speculation.drafted += result.counters.statesDrafted;
    speculation.accepted += result.counters.statesAccepted;
    speculation.rowsWasted += result.counters.rowsWasted;
    const report = verifySteps(result.steps, {
      config: engine.config,
      weights,
      scoring: policy.scoring,
      maskId,
      every,
    });
    own.rows += report.rows;
    own.mismatches += report.mismatches.length;
    own.maxConfidenceError = Math.max(own.maxConfidenceError, report.maxConfidenceError);
    if (report.maxNatsError !== null) own.maxNatsError = Math.max(own.maxNatsError ?? 0, report.maxNatsError);
    const [mismatch] = report.mismatches;
    if (mismatch !== undefined) {
      const { recorded: token, recomputed: expected, step, position, logitMargin } = mismatch;
      first ??= { problem, against: 'specification', step, position, token, expected, logitMargin };
    }
    const context = {
      start: policy.start(promptIds, genLength, maskId, { endIds: engine.config.endIds }),
      stepBudget: policy.stepBudget(genLength),
      trained: engine.config,
      givenUp: lawsGivenUp(spec).map(({ part }) => part),
    };
    violations.push(...checkLaws(context, result.steps).map((violation) => ({ ...violation, problem })));
    let above = result;
    for (const technique of techniques) {
      const below = await run(technique.policy, promptIds);
      technique.differing += above.tokens.filter((token, at) => token !== below.tokens[at]).length;
      const difference = technique.first === null ? firstDifference(above, below, promptIds.length) : null;
      if (difference !== null) technique.first = { problem, against: technique.without.name, ...difference };
      above = below;
    }
    if (twinSpec === null) continue;
    const expected = await run(composePolicy(twinSpec), promptIds);
    forwards.twin += expected.counters.nfe;
    twin.tokens += genLength;
    twin.mismatches += result.tokens.filter((token, at) => token !== expected.tokens[at]).length;
    const difference = firstDifference(result, expected, promptIds.length);
    if (difference !== null) first ??= { problem, against: twinSpec.name, ...difference };
  }
  onProgress?.(problems.length, problems.length);
  return {
    policy: spec.name,
    engine: engine.name,
    problems: problems.length,
    tokens: problems.length * genLength,
    textHash,
    mismatches: own.mismatches + twin.mismatches + violations.length,
    first,
    specification: own,
    twin: twinSpec === null ? null : { policy: twinSpec.name, ...twin },
    techniques: techniques.map(({ technique, lossless, without, differing, first }) => ({
      technique,
      against: without.name,
      tokenExactWith:
        differing === 0 ? 'baseline' : lossless || own.mismatches > 0 ? 'diverges' : 'specification',
      tokens: problems.length * genLength,
      differing,
      first,
    })),
    notCompared: ladder.slice(comparable.length).map(({ technique, because }) => ({
      technique,
      because: because ?? ladder[comparable.length].because ?? '',
    })),
    laws: { violations, givenUp: lawsGivenUp(spec) },
    speculation,
    forwards: { policy: forwards.policy, twin: twinSpec === null ? null : forwards.twin },
  };
}
