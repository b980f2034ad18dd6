import type { DecodingPolicy } from '../../../src/decode/method/compose.js';
import { countWork, type DecodeCounters } from '../../../src/decode/method/counters.js';
import { decode } from '../../../src/decode/method/session.js';
import type { StepRecord } from '../../../src/decode/method/step-record.js';
import type { StepTiming } from '../../../src/decode/method/timer.js';
import { verifySteps } from '../../../src/engine/verify/verify.js';
import { generateProblem, type Problem } from '../../../src/score/problems.js';
import { scoreResponse } from '../../../src/score/score.js';
import type { LadderContext } from './context.js';
import type { LadderRow } from './ladder.js';

/** One prompt under one row of the ladder. Plain data: it crosses threads. */
export interface PromptRowResult {
  readonly latencyMs: number;
  readonly counters: DecodeCounters;
  readonly busyMs: Readonly<Record<string, number>>;
  readonly counterSums: Readonly<Record<string, number>>;
  readonly steps: number;
  readonly tokens: readonly number[];
  /** Step that fixed each generated token. */
  readonly fixedAt: readonly number[];
  readonly remainingVisible: number;
  readonly exact: boolean;
  readonly tasks: readonly { readonly kind: string; readonly correct: boolean }[];
  /** Re-execution without cache or window; null when this prompt was not verified. */
  readonly verified: {
    readonly rows: number;
    readonly mismatches: number;
    readonly maxConfidenceError: number;
  } | null;
}

export interface PromptResult {
  readonly index: number;
  readonly promptTokens: number;
  readonly rows: readonly PromptRowResult[];
}

export interface PromptJob {
  readonly index: number;
  /** Verify every n-th step of this prompt's decodes; 0: not at all. */
  readonly verifyEvery: number;
}

/** A decode whose decisions do not depend on the clock can be timed on any number of machines. */
interface Decisions {
  readonly steps: readonly StepRecord[];
  readonly tokens: readonly number[];
  readonly remainingVisible: number;
}

/** Whether a policy's decisions depend on when something finished. */
export const usesClock = (policy: DecodingPolicy): boolean => policy.spec.refresh.kind !== 'none';

/** Decodes and times one problem under every row of the ladder. */
export async function runPrompt(
  context: LadderContext,
  rows: readonly LadderRow[],
  job: PromptJob,
  signal?: AbortSignal,
): Promise<PromptResult> {
  const problem = generateProblem(context.options.seed, job.index, 'long', 'heldout');
  const promptIds = context.promptIds(problem);
  const shared = new Map<string, Decisions>();
  const verifications = new Map<string, PromptRowResult['verified']>();
  const results: PromptRowResult[] = [];
  for (const row of rows) {
    const policy = context.policy(row.policy, row);
    const machine = context.machine(row);
    const withClock = usesClock(policy);
    let decisions = withClock ? undefined : shared.get(row.policy);
    if (decisions === undefined) {
      const done = await decode({
        policy,
        engine: context.engine,
        promptIds,
        genLength: context.options.genLength,
        ...(withClock ? { timer: machine } : {}),
        ...(signal === undefined ? {} : { signal }),
      });
      decisions = { steps: done.steps, tokens: done.tokens, remainingVisible: done.remainingVisible.length };
      if (!withClock) shared.set(row.policy, decisions);
    }
    if (job.verifyEvery > 0 && !verifications.has(row.policy)) {
      verifications.set(row.policy, verify(context, policy, decisions.steps, job.verifyEvery));
    }
    const timings = decisions.steps.map((step) => step.timing ?? machine.time(step.plan));
    results.push(
      summarise(
        context,
        problem,
        decisions,
        timings,
        promptIds.length,
        verifications.get(row.policy) ?? null,
      ),
    );
  }
  return { index: job.index, promptTokens: promptIds.length, rows: results };
}

function verify(
  context: LadderContext,
  policy: DecodingPolicy,
  steps: readonly StepRecord[],
  every: number,
): PromptRowResult['verified'] {
  const report = verifySteps(steps, {
    config: context.engine.config,
    weights: context.weights,
    scoring: policy.scoring,
    maskId: context.maskId,
    every,
  });
  return {
    rows: report.rows,
    mismatches: report.mismatches.length,
    maxConfidenceError: report.maxConfidenceError,
  };
}

function summarise(
  context: LadderContext,
  problem: Problem,
  decisions: Decisions,
  timings: readonly StepTiming[],
  promptLength: number,
  verified: PromptRowResult['verified'],
): PromptRowResult {
  const { genLength, blockLength } = context.options;
  const score = scoreResponse(problem, context.text(decisions.tokens));
  const fixedAt = new Array<number>(genLength).fill(-1);
  for (const { plan, transitions } of decisions.steps) {
    for (const t of transitions) {
      if (t.token !== t.tokenBefore) fixedAt[t.position - promptLength] = plan.step;
    }
  }
  return {
    latencyMs: timings.at(-1)?.endMs ?? 0,
    counters: countWork(
      { promptLength, genLength, blockLength },
      decisions.steps,
      decisions.tokens,
      context.eosId,
    ),
    busyMs: sumRecords(timings.map((t) => t.busyMs)),
    counterSums: sumRecords(timings.map((t) => t.counters)),
    steps: timings.length,
    tokens: decisions.tokens,
    fixedAt,
    remainingVisible: decisions.remainingVisible,
    exact: score.exact,
    tasks: score.tasks,
    verified,
  };
}

function sumRecords(records: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const record of records) {
    for (const [key, value] of Object.entries(record)) sums[key] = (sums[key] ?? 0) + value;
  }
  return sums;
}
