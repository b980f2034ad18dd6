import * as tf from '@tensorflow/tfjs-core';
import { guideLogits } from '../../decode/method/guidance.js';
import { type Scoring, sampleRow } from '../../decode/rules/sample-row.js';
import { CheckError } from '../../errors.js';
import type { ModelConfig } from '../../model/config.js';
import { graphFor } from '../../model/graph-cache.js';
import { precisionFor } from '../../model/precision.js';
import type { PassOutcome, StepPlan } from '../../pass/pass.js';
import { executeGraph, type WeightTensors } from '../tfjs/execute.js';
import { AskedBeside } from './asked-beside.js';
import { groupPasses, type JointPass, jointPass } from './closure.js';
import { type Part, partsOf } from './parts.js';

/** What the verifier needs of a recorded step. */
export interface RecordedStep {
  readonly plan: StepPlan;
  /** Outcomes of every pass of the step that asked for logits, in any order. */
  readonly outcomes: readonly PassOutcome[];
}

/** A row whose recorded prediction is not what its context gives. */
export interface Mismatch {
  readonly step: number;
  readonly passId: string;
  readonly position: number;
  readonly recorded: number;
  readonly recomputed: number;
  /** Logit of the recomputed best token minus that of the recorded one: near 0 is a near-tie. */
  readonly logitMargin: number;
}

export interface VerifyReport {
  /** Rows whose prediction was recomputed. */
  readonly rows: number;
  readonly mismatches: readonly Mismatch[];
  /** Largest |recorded - recomputed| confidence over rows with equal tokens, asked probabilities included. */
  readonly maxConfidenceError: number;
  /**
   * Largest |recorded - recomputed| drift of a distribution or gap of logits, in nats; null where the policy asks for neither, and where
   * steps are left out, without which a drift is not known.
   */
  readonly maxNatsError: number | null;
}

export interface VerifyOptions {
  readonly config: ModelConfig;
  readonly weights: WeightTensors;
  readonly scoring: Scoring;
  readonly maskId: number;
  /** Checks every n-th step (1: all). Skipped steps still serve as context. */
  readonly every?: number;
  /** Rows of one joint forward; bounds memory (scores are rows x rows per head). */
  readonly maxRows?: number;
}

type Wanted = JointPass['wanted'][number];

/**
 * Re-executes a trace without cache, window or order: for every scored row it rebuilds exactly the context that
 * row was entitled to see (which computation of which position, through any chain of cached entries) as one
 * masked f32 forward, and compares prediction and confidence.
 *
 * The active tfjs backend does the work; start it before (`useBackend`).
 */
export function verifySteps(steps: readonly RecordedStep[], options: VerifyOptions): VerifyReport {
  const { config, weights, scoring, maskId, every = 1, maxRows = 1024 } = options;
  /** Scale by id of the conditional pass. */
  const guidance = new Map<string, number>();
  /** Conditional logits that wait for their unconditional ones. */
  const waiting = new Map<string, { readonly wanted: Wanted; readonly logits: Float32Array }>();
  const byVersion = new Map<number, Part>();
  const stepOf = new Map<string, number>();
  const targets: Part[] = [];
  steps.forEach(({ plan, outcomes }, index) => {
    for (const pass of plan.passes) {
      if (pass.guidance !== undefined) guidance.set(pass.id, pass.guidance);
      for (const part of partsOf(
        pass,
        outcomes.find(({ passId }) => passId === pass.id),
      )) {
        byVersion.set(part.version, part);
        stepOf.set(part.id, plan.step);
        if (index % every === 0 && part.scored.length > 0) targets.push(part);
      }
    }
  });

  const mismatches: Mismatch[] = [];
  let rows = 0;
  let maxConfidenceError = 0;
  let maxNatsError: number | null = null;
  const beside = new AskedBeside(scoring, every === 1, maskId);
  for (const group of groupPasses(targets, byVersion, maxRows)) {
    const joint = jointPass(group, byVersion, config.shiftLogits);
    const adapter = joint.adapter.includes(1) ? (true as const) : undefined;
    const graph = graphFor(
      config,
      { rows: joint.rows.length, kvSets: [], logitsRows: joint.wanted.length, masked: true, adapter },
      precisionFor('f32'),
    );
    let logits = new Float32Array(0);
    // What a tidy returns is searched for tensors, value by value: not these.
    tf.tidy(() => {
      const result = executeGraph(
        graph,
        {
          weights,
          ids: joint.rows.map((row) => row.feed),
          positions: joint.rows.map((row) => row.position),
          logitsRows: joint.wanted.map((w) => w.row),
          visibility: joint.visibility,
          adapter: joint.adapter,
        },
        { release: true },
      );
      if (result.logits === null) throw new Error('a joint pass always asks for logits');
      logits = result.logits.dataSync<'float32'>() as Float32Array<ArrayBuffer>;
    });
    joint.wanted.forEach((wanted, index) => {
      const own = logits.subarray(index * config.vocab, (index + 1) * config.vocab);
      const key = (partId: string): string => `${partId}:${wanted.position}`;
      if (guidance.has(wanted.partId)) {
        waiting.set(key(wanted.partId), { wanted, logits: own });
        return;
      }
      if (wanted.partId.endsWith('/1')) {
        const conditional = wanted.partId.slice(0, -2);
        const guided = waiting.get(key(conditional));
        if (guided !== undefined) {
          waiting.delete(key(conditional));
          const both = Float32Array.from([...guided.logits, ...own]);
          const scale = guidance.get(conditional) as number;
          compare(guided.wanted, guideLogits({ guidance: scale }, both));
        }
      }
      compare(wanted, own);
    });
  }
  for (const passId of waiting.keys())
    throw new CheckError(`the rows that guide ${passId} got no logits, so nothing was compared there`);
  return { rows, mismatches, maxConfidenceError, maxNatsError };

  /** One row's logits, recomputed, against what was recorded. */
  function compare(wanted: Wanted, logits: Float32Array): void {
    const answer = wanted.recorded;
    rows += 1;
    maxConfidenceError = Math.max(maxConfidenceError, beside.probabilityError(wanted, answer, logits));
    const natsError = beside.natsError(wanted, answer, logits);
    if (natsError !== null) maxNatsError = Math.max(maxNatsError ?? 0, natsError);
    if (wanted.excludes !== undefined || answer.instead !== undefined) {
      // Without another token a rule takes the row's own, excluded or not. One of a row that excludes nothing is its best.
      const taken = answer.instead ?? answer.token;
      const instead = otherThan(logits, new Set([maskId, ...(wanted.excludes ?? [])]));
      if (instead !== undefined && instead !== taken) differ(wanted, logits, taken, instead);
    }
    const at = wanted.draw === undefined ? null : { position: wanted.position, draw: wanted.draw };
    const score = sampleRow(logits, 0, { vocab: config.vocab, maskId, endIds: config.endIds }, scoring, at);
    if (score.token === answer.token) {
      maxConfidenceError = Math.max(maxConfidenceError, Math.abs(score.confidence - answer.confidence));
      return;
    }
    differ(wanted, logits, answer.token, score.token);
  }

  function differ(wanted: Wanted, logits: Float32Array, recorded: number, recomputed: number): void {
    mismatches.push({
      step: stepOf.get(wanted.partId) as number,
      passId: wanted.partId,
      position: wanted.position,
      recorded,
      recomputed,
      logitMargin: logits[recomputed] - logits[recorded],
    });
  }
}

/** The token of the largest logit among the others, the first of several. */
function otherThan(logits: Float32Array, none: ReadonlySet<number>): number | undefined {
  const others = [...logits.keys()].filter((id) => !none.has(id));
  const largest = others.reduce((most, id) => Math.max(most, logits[id]), Number.NEGATIVE_INFINITY);
  return others.find((id) => logits[id] === largest);
}
