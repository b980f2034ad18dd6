import type { Engine } from '../../engine/engine.js';
import { CheckError, UsageError } from '../../errors.js';
import type { ModelConfig } from '../../model/config.js';
import type { Pass, PassOutcome, StepPlan } from '../../pass/pass.js';
import type { Canvas } from '../canvas/types.js';
import { factsOf } from '../parts.js';
import { checkFit } from '../policies.js';
import type { DecodingPolicy } from './compose.js';
import { countWork, type DecodeCounters } from './counters.js';
import { RowMemory } from './row-memory.js';
import { predictorPass, scorePass } from './score-pass.js';
import { draftWritesBetween, kvWritesBetween, type StepRecord } from './step-record.js';
import type { StepTimer } from './timer.js';

/**
 * Told what the engine said of a pass, before it is scored.
 * @param logits row-major, of the rows in `pass.logits`; only to be read, and only during the call
 */
export type OnLogits = (pass: Pass, logits: Float32Array) => void;

export interface DecodeOptions {
  readonly policy: DecodingPolicy;
  readonly engine: Engine;
  readonly promptIds: readonly number[];
  /** Positions to generate; a multiple of the policy's block length. */
  readonly genLength: number;
  /** First tokens of the answer, masks where they are to be filled in; then the last block may be short. */
  readonly given?: readonly number[];
  /** Clock of the decode. Without one a refresh lands with the step that launched it. */
  readonly timer?: StepTimer;
  /** Called after each step with the canvas it led to. */
  readonly onStep?: (record: StepRecord, canvas: Canvas) => void;
  readonly onLogits?: OnLogits;
  readonly signal?: AbortSignal;
}

/** A visible token that decoding ended with (law D7). */
export interface RemainingVisible {
  /** In the whole sequence, prompt included. */
  readonly position: number;
  /** Token id. */
  readonly token: number;
  /** When it was last scored, by the policy's rule. */
  readonly confidence: number;
}

/** A finished decode. */
export interface DecodeResult {
  /** The generated tokens, genLength of them, end-of-text tokens included. */
  readonly tokens: readonly number[];
  /** As the last step left it. */
  readonly canvas: Canvas;
  /** Work, counted from the plans. */
  readonly counters: DecodeCounters;
  /** Tokens that were never confirmed as stable. */
  readonly remainingVisible: readonly RemainingVisible[];
  /** Everything that happened, step by step. */
  readonly steps: readonly StepRecord[];
}

async function runPass(
  options: DecodeOptions,
  pass: Pass,
  maskId: number,
  memory: RowMemory,
): Promise<PassOutcome> {
  const { engine, policy } = options;
  const { vocab, endIds, shiftLogits } = engine.config;
  const { logits } = await engine.run(predictorPass(pass, shiftLogits));
  if (logits.length !== pass.logits.length * vocab) {
    throw new CheckError(
      `engine ${engine.name} returned ${logits.length} logits for pass ${pass.id}, expected ${pass.logits.length} rows of ${vocab}`,
    );
  }
  options.onLogits?.(pass, logits);
  return scorePass(pass, logits, { vocab, maskId, endIds }, policy.scoring, memory);
}

/**
 * What undecided positions hold, and no row may say: the mask token, or of a policy and a model that know none an id that no token has.
 * A model that was trained with masks as well does not write one left to right either: else its own drafts could not equal its text.
 * @throws UsageError when the policy shows rows what the model was not trained to see
 */
export function maskFor(policy: DecodingPolicy, model: ModelConfig): number {
  checkFit(policy.spec, model);
  const { maskId, vocab, alsoCausal } = model;
  const isMasked = factsOf(policy.spec).window.masks || alsoCausal === true;
  return isMasked && maskId !== null ? maskId : vocab;
}

/** Side passes whose results are there at the boundary of this step. */
function finishedPasses(plan: StepPlan, completed: readonly string[] | null): string[] {
  return completed === null
    ? plan.passes.filter((pass) => pass.lane === 'side').map((pass) => pass.id)
    : [...completed];
}

/**
 * Decodes one prompt: plan, run the passes, time the step, apply. The only place where decoding meets time.
 *
 * All passes of a step run on the KV snapshot at its start. The outcome of a side pass is computed when it is
 * launched and handed to the policy at the boundary at which the timer says it was finished.
 *
 * The engine is the decode's own while it runs: KV of earlier decodes is dropped at the start, the final KV stays.
 * A timer continues where it stands; reset it between decodes.
 *
 * @throws UsageError when the lengths contradict the policy or the model
 * @throws CheckError when law D4 (step budget) is broken or the engine misses a KV entry
 */
export async function decode(options: DecodeOptions): Promise<DecodeResult> {
  const { policy, engine, promptIds, genLength, given, timer, onStep, signal } = options;
  const { contextLength, endIds, name } = engine.config;
  const maskId = maskFor(policy, engine.config);
  if (promptIds.length + genLength > contextLength) {
    throw new UsageError(
      `prompt ${promptIds.length} + generation ${genLength} exceeds the context of ${name} (${contextLength})`,
    );
  }
  let canvas = policy.start(promptIds, genLength, maskId, { endIds, given });
  const budget = policy.stepBudget(genLength);
  // Versions start anew with every decode: entries of an earlier one must not answer to them.
  engine.retain([]);
  const steps: StepRecord[] = [];
  const pending = new Map<string, PassOutcome>();
  const memory = new RowMemory(policy.scoring.drift);

  for (let plan = policy.plan(canvas); plan !== null; plan = policy.plan(canvas)) {
    signal?.throwIfAborted();
    if (steps.length >= budget) {
      throw new CheckError(`law D4: ${policy.name} is not finished after its budget of ${budget} steps`);
    }
    const outcomes: PassOutcome[] = [];
    for (const pass of plan.passes) {
      const outcome = await runPass(options, pass, maskId, memory);
      outcomes.push(outcome);
      if (pass.lane === 'side') pending.set(pass.id, outcome);
    }
    const timing = timer?.time(plan) ?? null;
    const landed: PassOutcome[] = [];
    const finished = finishedPasses(plan, timing?.completed ?? null);
    const left =
      plan.joins === true && plan.passes.find(({ id, lane }) => lane === 'side' && !finished.includes(id));
    if (left)
      throw new CheckError(`timer ${timer?.name} ends step ${plan.step} without waiting for pass ${left.id}`);
    for (const passId of finished) {
      const found = pending.get(passId);
      if (found === undefined) throw new CheckError(`timer completed pass ${passId}, which is not under way`);
      pending.delete(passId);
      landed.push(found);
    }
    const before = canvas;
    const applied = policy.apply(before, plan, outcomes[0], landed);
    canvas = applied.canvas;
    engine.retain(applied.liveKv);
    const record: StepRecord = {
      plan,
      outcomes,
      landed: landed.map((outcome) => outcome.passId),
      transitions: applied.transitions,
      dropped: applied.dropped,
      accepted: applied.accepted,
      kvWrites: kvWritesBetween(before, canvas),
      draftWrites: draftWritesBetween(before, canvas),
      timing,
    };
    steps.push(record);
    onStep?.(record, canvas);
  }

  const generated = canvas.positions.slice(promptIds.length);
  const tokens = generated.map((position) => position.token);
  if (tokens.includes(maskId)) throw new CheckError(`law D4: ${policy.name} left a mask in its output`);
  return {
    tokens,
    canvas,
    counters: countWork(canvas, steps, tokens, endIds),
    remainingVisible: generated.flatMap(({ state, token, confidence }, index) =>
      state === 'V' ? [{ position: promptIds.length + index, token, confidence }] : [],
    ),
    steps,
  };
}
