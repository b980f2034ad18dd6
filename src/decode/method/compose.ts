import { UsageError } from '../../errors.js';
import { contains } from '../canvas/geometry.js';
import type { Canvas, Policy, Position } from '../canvas/types.js';
import { cacheRule } from '../rules/cache.js';
import { commitRule } from '../rules/commit.js';
import { finalRule } from '../rules/final.js';
import { logitsRule } from '../rules/logits.js';
import { type LatencyTable, ROW_BYTES, TILE_LATENCY } from '../rules/lookahead.js';
import { refreshRule } from '../rules/refresh.js';
import { reviseRule } from '../rules/revise.js';
import { revokeRule } from '../rules/revoke.js';
import type { Rules } from '../rules/rule.js';
import { isRandom } from '../rules/sampling.js';
import { speculateRule } from '../rules/speculate.js';
import { windowRule } from '../rules/window.js';
import { type PolicySpec, type PolicySpecInput, parsePolicySpec } from '../spec.js';
import { applyStep } from './apply.js';
import { autoregressive } from './autoregressive.js';
import { exactSpeculation, type Steps } from './exact-speculation.js';
import { planStep } from './plan.js';

/** A policy together with the data it was made from. */
export interface DecodingPolicy extends Policy {
  readonly spec: PolicySpec;
  /** Most steps a decode may take (law D4). */
  stepBudget(genLength: number): number;
}

/** What a spec cannot carry because it is not data. */
export interface PolicyInputs {
  /** Offline profile for lookahead; default: the tile staircase of Table 2. */
  readonly latencyTable?: LatencyTable;
  /** Memory that one more row of a pass takes, for the memory budget of lookahead; default: K and V of LLaDA-8B. */
  readonly rowBytes?: number;
}

function rulesOf(spec: PolicySpec, inputs: PolicyInputs): Rules {
  return {
    window: windowRule(spec.window, inputs.latencyTable ?? TILE_LATENCY, inputs.rowBytes ?? ROW_BYTES),
    cache: cacheRule(spec.cache),
    commit: commitRule(spec.commit),
    speculate: speculateRule(spec.speculate),
    revise: reviseRule(spec.revise, spec.commit, spec.cache.kind === 'prefix'),
    revoke: revokeRule(spec.revoke),
    refresh: refreshRule(spec.refresh, spec.commit),
    logits: logitsRule(spec.logits),
    guidance: spec.guidance,
    draws: isRandom(spec),
    final: finalRule(spec.final),
  };
}

function startCanvas(
  spec: PolicySpec,
  rules: Rules,
  promptIds: readonly number[],
  genLength: number,
  maskId: number,
): Canvas {
  if (!Number.isInteger(genLength) || genLength < 1) {
    throw new UsageError(`generation length must be a positive integer, got ${genLength}`);
  }
  const origin =
    spec.blockOrigin === 'zero' ? promptIds.length - (promptIds.length % spec.blockLength) : promptIds.length;
  if (spec.blockOrigin === 'prompt' && genLength % spec.blockLength !== 0) {
    throw new UsageError(
      `generation length ${genLength} is not a multiple of the block length ${spec.blockLength} of ${spec.name}`,
    );
  }
  if (promptIds.length === 0) throw new UsageError('the prompt is empty');
  if (promptIds.includes(maskId)) throw new UsageError(`the prompt holds the mask token (id ${maskId})`);
  const prompt = promptIds.map(
    (token): Position => ({ state: 'S', token, confidence: 1, kv: null, draft: null }),
  );
  const masked: Position = { state: 'M', token: maskId, confidence: 0, kv: null, draft: null };
  const blank: Canvas = {
    promptLength: promptIds.length,
    genLength,
    blockLength: spec.blockLength,
    blockOrigin: origin,
    maskId,
    positions: [...prompt, ...Array.from({ length: genLength }, () => masked)],
    block: 0,
    window: { start: promptIds.length, end: promptIds.length },
    step: 0,
    blockSteps: 0,
    lastPromoted: null,
    nextVersion: 1,
    inFlight: [],
    sweeps: 0,
  };
  const window = rules.window.next(blank, () => false, true);
  const positions = blank.positions.map((position, index) =>
    position.state === 'M' && contains(window, index) ? { ...position, state: 'IV' as const } : position,
  );
  return { ...blank, positions, window };
}

/**
 * Builds a policy from its spec: the only loop there is.
 * @throws UsageError when the spec is malformed or contradicts itself
 */
export function composePolicy(input: PolicySpecInput, inputs: PolicyInputs = {}): DecodingPolicy {
  const spec = parsePolicySpec(input);
  const rules = rulesOf(spec, inputs);
  const diffusion: Steps = {
    plan: (canvas) => planStep(rules, canvas),
    apply: (canvas, plan, outcome, landed) => applyStep(rules, canvas, plan, outcome, landed),
  };
  const method = spec.window.kind === 'next' ? autoregressive(rules.draws) : diffusion;
  return {
    name: spec.name,
    spec,
    start: (promptIds, genLength, maskId) => startCanvas(spec, rules, promptIds, genLength, maskId),
    ...(spec.speculate.kind === 'exact' ? exactSpeculation(spec.speculate, spec.commit, method) : method),
    stepBudget(genLength) {
      // One block more than fits, in case the first is shared with the prompt.
      const blocks = Math.ceil(genLength / spec.blockLength) + (spec.blockOrigin === 'zero' ? 1 : 0);
      // prefill; one promotion per denoising step; one pass per block to make its KV durable; the sweep and its seal
      return 1 + genLength + blocks + rules.final.maxPasses + 1;
    },
  };
}
