import { UsageError } from '../../errors.js';
import { contains, firstOpenBlock } from '../canvas/geometry.js';
import type { Canvas, Policy, Position, StartExtra, Steps } from '../canvas/types.js';
import { factsOf, lawsGivenUp, rulesOf } from '../parts.js';
import type { Kind, RuleInputs } from '../rules/definition.js';
import type { RuleOf, Rules } from '../rules/rule.js';
import type { Scoring } from '../rules/sample-row.js';
import { reviseRule } from '../rules/settings/revise.js';
import { stopping } from '../rules/settings/stop.js';
import { DEFAULT_INPUTS } from '../rules/window/lookahead.js';
import { type PolicySpec, type PolicySpecInput, parsePolicySpec } from '../spec.js';
import { applyStep } from './apply.js';
import { planStep } from './plan.js';
import { scoringOf } from './scoring.js';

/** A policy together with the data it was made from. */
export interface DecodingPolicy extends Policy {
  /** With every default filled in. */
  readonly spec: PolicySpec;
  /** How logits become tokens and confidences. */
  readonly scoring: Scoring;
  /** Most steps a decode may take (law D4). */
  stepBudget(genLength: number): number;
}

/** What a spec cannot carry because it is not data; default: the tile staircase of Table 2, KV rows of LLaDA-8B. */
export type PolicyInputs = Partial<RuleInputs>;

function runtimeRules(spec: PolicySpec, inputs: PolicyInputs): Rules {
  const rules = rulesOf(spec);
  const facts = factsOf(spec, rules);
  const given = { ...DEFAULT_INPUTS, ...inputs };
  const of = <K extends Kind>(kind: K): RuleOf[K] => rules[kind].rule(facts, given);
  return {
    window: of('window'),
    cache: of('cache'),
    commit: of('commit'),
    speculate: of('speculate'),
    revoke: of('revoke'),
    refresh: of('refresh'),
    logits: of('logits'),
    final: of('final'),
    revise: reviseRule(spec.revise, facts),
    guidance: spec.guidance,
    draws: facts.sampling.random || facts.confidence.random,
  };
}

function startCanvas(
  spec: PolicySpec,
  rules: Rules,
  promptIds: readonly number[],
  genLength: number,
  maskId: number,
  { endIds = [], given = [] }: StartExtra,
): Canvas {
  if (!Number.isInteger(genLength) || genLength < 1) {
    throw new UsageError(
      genLength === 0
        ? 'nothing is to be generated, and the prompt has no masks to fill in'
        : `generation length must be a positive integer, got ${genLength}`,
    );
  }
  const origin =
    spec.blockOrigin === 'zero' ? promptIds.length - (promptIds.length % spec.blockLength) : promptIds.length;
  // Filled-in text has the length it has; its last block may be short.
  const whole = spec.blockOrigin === 'prompt' && given.length === 0;
  if (whole && genLength % spec.blockLength !== 0) {
    throw new UsageError(
      `generation length ${genLength} is not a multiple of the block length ${spec.blockLength} of ${spec.name}`,
    );
  }
  if (promptIds.length === 0) throw new UsageError('the prompt is empty');
  if (promptIds.includes(maskId)) throw new UsageError(`the prompt holds the mask token (id ${maskId})`);
  if (given.length > genLength)
    throw new UsageError(`${given.length} tokens are given of an answer of ${genLength}`);
  if (given.length > 0 && factsOf(spec).window.attends !== null)
    throw new UsageError(`${spec.name} decodes left to right and cannot fill in masks`);
  const stated = (token: number): Position => ({ state: 'S', token, confidence: 1, kv: null, draft: null });
  const masked: Position = { state: 'M', token: maskId, confidence: 0, kv: null, draft: null };
  const blank: Canvas = {
    promptLength: promptIds.length,
    genLength,
    blockLength: spec.blockLength,
    blockOrigin: origin,
    maskId,
    endIds,
    given: given.length,
    positions: [
      ...promptIds.map(stated),
      ...Array.from({ length: genLength }, (_, at) => {
        const token = given[at] ?? maskId;
        return token === maskId ? masked : stated(token);
      }),
    ],
    block: 0,
    window: { start: promptIds.length, end: promptIds.length },
    step: 0,
    blockSteps: 0,
    lastPromoted: null,
    edits: 0,
    waited: 0,
    edited: null,
    nextVersion: 1,
    inFlight: [],
    sweeps: 0,
  };
  // A block that is given whole is finished before the first step.
  const open = { ...blank, block: firstOpenBlock(blank) };
  const window = rules.window.next(open, () => false, true);
  const positions = open.positions.map((position, index) =>
    position.state === 'M' && contains(window, index) ? { ...position, state: 'IV' as const } : position,
  );
  return { ...open, positions, window };
}

/**
 * Builds a policy from its spec: the only loop there is.
 * @throws UsageError when the spec is malformed or contradicts itself
 */
export function composePolicy(input: PolicySpecInput, inputs: PolicyInputs = {}): DecodingPolicy {
  const spec = parsePolicySpec(input);
  const rules = runtimeRules(spec, inputs);
  const diffusion: Steps = {
    plan: (canvas) => planStep(rules, canvas),
    apply: (canvas, plan, outcome, landed) => applyStep(rules, canvas, plan, outcome, landed),
  };
  const whole = rules.window.steps ?? diffusion;
  const method = spec.stop === 'block' ? stopping(whole) : whole;
  return {
    name: spec.name,
    spec,
    scoring: scoringOf(spec),
    start: (promptIds, genLength, maskId, extra = {}) =>
      startCanvas(spec, rules, promptIds, genLength, maskId, extra),
    ...rules.speculate.wrap(method),
    stepBudget(genLength) {
      // One block more than fits, in case the first is shared with the prompt.
      const blocks = Math.ceil(genLength / spec.blockLength) + (spec.blockOrigin === 'zero' ? 1 : 0);
      // A schedule that may idle runs its length in every block, however few of its positions are masked.
      const idles = lawsGivenUp(spec).some(({ part }) => part === 'D4-every-step');
      const denoising = idles ? blocks * spec.blockLength : genLength;
      // prefill; the denoising steps; those that only edit; one pass per block to make its KV durable; the sweep and its seal
      const edits = blocks * (rules.commit.edits ?? 0);
      return 1 + denoising + edits + blocks + rules.final.maxPasses + 1;
    },
  };
}
