import { type CaseResult, decidedCases, timedCases } from '../../lab/kinds/case-result.js';
import type { WantedRun } from '../../lab/plan.js';
import type { RunRecord } from '../../lab/record.js';
import type { QualityOptions } from './options.js';

/** One problem under one policy. */
export interface PolicyOutcome {
  readonly exact: boolean;
  readonly tasksRight: number;
  readonly tasks: number;
  readonly forwards: number;
  readonly rows: number;
  /** Tokens that forwards gave. */
  readonly generated: number;
  /** Exact speculation: states drafted, accepted, and rows of the others. */
  readonly drafted: number;
  readonly accepted: number;
  readonly rowsWasted: number;
  /** Tokens before the end of text. */
  readonly textTokens: number;
  /** Generated tokens, to say whether two policies wrote the same. */
  readonly tokens: readonly number[];
  /** On the machine that was asked for; null: nothing was timed. */
  readonly timed: { readonly seconds: number; readonly joules: number } | null;
}

export interface ProblemOutcome {
  readonly index: number;
  /** In the order of the policies that were asked for. */
  readonly policies: readonly PolicyOutcome[];
}

/** Runs of a problem: one per policy. */
export function problemRuns(options: QualityOptions, index: number): WantedRun[] {
  const { model: workload, engine, seed, genLength, blockLength } = options;
  const { data, scorer, template, maskToken, machine: profile } = options;
  return options.policies.map((policy) => ({
    kind: profile === undefined ? 'decide' : 'decode',
    config: {
      workload,
      engine,
      data,
      scorer,
      template,
      maskToken,
      policy,
      blockLength,
      seed,
      firstCase: index,
      cases: 1,
      genLength,
      ...(profile === undefined ? {} : { profile }),
    },
  }));
}

/** @param record of one case of a decider that has answers, timed or not. @throws DataError of another kind of run */
export function outcomeOf(record: RunRecord): PolicyOutcome {
  if (record.kind !== 'decode') return decidedOutcome(decidedCases(record).cases[0], null);
  const [timed] = timedCases(record).cases;
  return decidedOutcome(timed, { seconds: timed.ms / 1000, joules: timed.joules });
}

function decidedOutcome(
  { answer, counters, tokens }: CaseResult,
  timed: PolicyOutcome['timed'],
): PolicyOutcome {
  const tasks = answer?.tasks ?? [];
  return {
    exact: answer?.exact ?? false,
    tasksRight: tasks.filter(({ correct }) => correct).length,
    tasks: tasks.length,
    forwards: counters.nfe,
    rows: counters.mainRows + counters.sideRows,
    generated: counters.tokens,
    drafted: counters.statesDrafted,
    accepted: counters.statesAccepted,
    rowsWasted: counters.rowsWasted,
    textTokens: counters.textTokens,
    tokens,
    timed,
  };
}
