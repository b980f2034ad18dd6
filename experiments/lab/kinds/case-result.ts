import { z } from 'zod';
import type { DecodeCounters } from '../../../src/decode/method/counters.js';
import { DataError } from '../../../src/errors.js';
import { mean } from '../../../src/score/statistics/samples.js';
import type { ObservedCase } from '../deciders/facts.js';
import type { Metrics } from '../kind.js';
import type { RunRecord } from '../record.js';

const count = z.int().min(0);

/** What a run keeps of one decided case. */
const caseResultSchema = z.object({
  case: count,
  promptTokens: count,
  steps: count,
  /** Rows of every forward on the critical path, in order. */
  forwardRows: z.array(count),
  counters: z.custom<DecodeCounters>((value) => typeof value === 'object' && value !== null),
  /** The generated ones. */
  tokens: z.array(count),
  /** Step that fixed each of them. */
  fixedAt: z.array(z.int()),
  /** Positions still visible at the end. */
  remainingVisible: count,
  /** Null where nothing says what is right. */
  answer: z
    .object({ exact: z.boolean(), tasks: z.array(z.object({ kind: z.string(), correct: z.boolean() })) })
    .nullable(),
});

const sums = z.record(z.string(), z.number());

/** A decided case on a machine. */
const timedCaseSchema = caseResultSchema.extend({
  ms: z.number(),
  joules: z.number(),
  /** Sums over the steps. */
  busyMs: sums,
  machineCounters: sums,
});

export type CaseResult = z.infer<typeof caseResultSchema>;
export type TimedCaseResult = z.infer<typeof timedCaseSchema>;

const detailOf = <T extends z.ZodType>(each: T) =>
  z.object({ engine: z.string().nullable(), cases: z.array(each) });
const decidedDetail = detailOf(caseResultSchema);
const timedDetail = detailOf(timedCaseSchema);

/** @throws DataError when the record is of another kind or damaged */
export function decidedCases(record: RunRecord): z.infer<typeof decidedDetail> {
  return parse(decidedDetail, record);
}

/** @throws DataError when the record is of another kind or damaged */
export function timedCases(record: RunRecord): z.infer<typeof timedDetail> {
  return parse(timedDetail, record);
}

function parse<T>(schema: z.ZodType<T>, { hash, kind, detail }: RunRecord): T {
  const parsed = schema.safeParse(detail);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new DataError(
    `run ${hash} (${kind}) holds no cases: ${issue.path.join('.')}: ${issue.message}; delete its file and run again`,
  );
}

export function caseResult(index: number, decided: ObservedCase): CaseResult {
  const { promptLength, steps, counters, tokens, remainingVisible, answer } = decided;
  const fixedAt = new Array<number>(tokens.length).fill(-1);
  for (const { plan, transitions } of steps) {
    for (const { position, token, tokenBefore } of transitions) {
      if (token !== tokenBefore) fixedAt[position - promptLength] = plan.step;
    }
  }
  return {
    case: index,
    promptTokens: promptLength,
    steps: steps.length,
    forwardRows: steps.map(({ plan }) => plan.passes[0].rows.length),
    counters,
    tokens: [...tokens],
    fixedAt,
    remainingVisible,
    answer: answer === null ? null : { exact: answer.exact, tasks: [...answer.tasks] },
  };
}

/** Means over the cases. */
export function decidedMetrics(cases: readonly CaseResult[]): Metrics {
  const of = (pick: (each: CaseResult) => number): number => mean(cases.map(pick));
  const answers = cases.flatMap(({ answer }) => answer ?? []);
  return {
    exactShare: answers.length < cases.length ? null : mean(answers.map(({ exact }) => Number(exact))),
    forwards: of(({ counters }) => counters.nfe),
    steps: of(({ steps }) => steps),
    tokensPerForward: of(({ counters }) => counters.tokensPerForward),
    textTokens: of(({ counters }) => counters.textTokens),
    refreshesLanded: of(({ counters }) => counters.refreshesLanded),
    draftsAccepted: of(({ counters }) => counters.draftsAccepted),
    remainingVisible: of(({ remainingVisible }) => remainingVisible),
  };
}
