import { holm, mcnemar } from '../../../src/score/statistics/paired.js';
import { type Proportion, wilson } from '../../../src/score/statistics/proportion.js';
import { type MedianInterval, medianInterval } from '../../../src/score/statistics/samples.js';
import type { QualityOptions } from './options.js';
import type { PolicyOutcome, ProblemOutcome } from './outcome.js';

export const QUALITY_SCHEMA = 'dllm-npu/quality@1';

/** Paired with the baseline over the same problems. */
export interface PairedTest {
  readonly onlyPolicyRight: number;
  readonly onlyBaselineRight: number;
  /** Exact two-sided McNemar. */
  readonly p: number;
  /** Holm-corrected over the policies of the table. */
  readonly pHolm: number;
  /** Problems with the same tokens throughout. */
  readonly sameText: number;
}

export interface QualityRow {
  readonly policy: string;
  /** Problems answered exactly, with the 95 % Wilson interval. */
  readonly exact: Proportion;
  /** Share of single tasks answered right. */
  readonly taskAccuracy: number;
  /** Means per problem. */
  readonly forwards: number;
  readonly rows: number;
  /** All tokens of all problems over all forwards. */
  readonly tokensPerForward: number;
  readonly textTokensPerForward: number;
  /** Exact speculation, per problem; null when nothing was drafted. */
  readonly speculation: {
    readonly drafted: number;
    readonly accepted: number;
    readonly rowsWasted: number;
  } | null;
  /** Medians over the problems with 95 % intervals, simulated; null: nothing was timed. */
  readonly seconds: MedianInterval | null;
  readonly joules: MedianInterval | null;
  /** Null for the baseline itself. */
  readonly paired: PairedTest | null;
}

export interface QualityTable {
  readonly schema: typeof QUALITY_SCHEMA;
  readonly command: string;
  readonly version: string;
  readonly gitCommit?: string;
  readonly node: string;
  readonly engine: string;
  readonly model: { readonly name: string; readonly sha256: string };
  readonly options: QualityOptions;
  readonly rows: readonly QualityRow[];
  readonly notes: readonly string[];
}

const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** The table's rows from the outcomes of all problems. */
export function qualityRows(options: QualityOptions, problems: readonly ProblemOutcome[]): QualityRow[] {
  const of = (policy: number): PolicyOutcome[] => problems.map((problem) => problem.policies[policy]);
  const base = of(options.policies.indexOf(options.baseline));
  const pairs = options.policies.map((_, policy) => {
    const outcomes = of(policy);
    const onlyPolicyRight = outcomes.filter(({ exact }, i) => exact && !base[i].exact).length;
    const onlyBaselineRight = outcomes.filter(({ exact }, i) => !exact && base[i].exact).length;
    const sameText = outcomes.filter(({ tokens }, i) =>
      tokens.every((token, at) => token === base[i].tokens[at]),
    );
    return {
      onlyPolicyRight,
      onlyBaselineRight,
      p: mcnemar(onlyPolicyRight, onlyBaselineRight),
      sameText: sameText.length,
    };
  });
  const others = options.policies.flatMap((name, index) => (name === options.baseline ? [] : [index]));
  const corrected = new Map(holm(others.map((index) => pairs[index].p)).map((p, at) => [others[at], p]));
  return options.policies.map((policy, index): QualityRow => {
    const outcomes = of(index);
    const forwards = total(outcomes.map((outcome) => outcome.forwards));
    const pHolm = corrected.get(index);
    return {
      policy,
      exact: wilson(outcomes.filter(({ exact }) => exact).length, outcomes.length),
      taskAccuracy: total(outcomes.map((o) => o.tasksRight)) / total(outcomes.map((o) => o.tasks)),
      forwards: forwards / outcomes.length,
      rows: total(outcomes.map((outcome) => outcome.rows)) / outcomes.length,
      tokensPerForward: total(outcomes.map((outcome) => outcome.generated)) / forwards,
      textTokensPerForward: total(outcomes.map((outcome) => outcome.textTokens)) / forwards,
      speculation: speculationOf(outcomes),
      seconds: intervalOf(options, outcomes, 'seconds'),
      joules: intervalOf(options, outcomes, 'joules'),
      paired: pHolm === undefined ? null : { ...pairs[index], pHolm },
    };
  });
}

function intervalOf(
  { seed }: QualityOptions,
  outcomes: readonly PolicyOutcome[],
  part: 'seconds' | 'joules',
): MedianInterval | null {
  const values = outcomes.flatMap(({ timed }) => (timed === null ? [] : [timed[part]]));
  return values.length === 0 ? null : medianInterval(values, seed);
}

function speculationOf(outcomes: readonly PolicyOutcome[]): QualityRow['speculation'] {
  const drafted = total(outcomes.map((outcome) => outcome.drafted));
  if (drafted === 0) return null;
  return {
    drafted: drafted / outcomes.length,
    accepted: total(outcomes.map((outcome) => outcome.accepted)) / outcomes.length,
    rowsWasted: total(outcomes.map((outcome) => outcome.rowsWasted)) / outcomes.length,
  };
}

/** What the table does and does not show. */
export function qualityNotes(options: QualityOptions, rows: readonly QualityRow[]): string[] {
  const differing = rows.filter(({ paired }) => paired !== null && paired.pHolm < 0.05);
  const notes = [
    `paired over the same ${options.n} ${options.data === undefined ? 'held-out problems' : `questions of ${options.data}`}; p: exact McNemar against ${options.baseline}, Holm-corrected`,
    differing.length === 0
      ? `no policy differs significantly from ${options.baseline} at 5 %; that is no proof of equality`
      : `significantly different from ${options.baseline} at 5 %: ${differing.map(({ policy }) => policy).join(', ')}`,
    options.machine === undefined
      ? 'no clock: a CPU refresh lands with the step that launched it, its best case'
      : `seconds and joules are simulated: medians of one answer with the shapes of LLaDA-8B in Q4_0 by llada.cpp with SOMR on ${options.machine}, with 95 % intervals over the problems; every number of the energy model is assumed`,
  ];
  if (options.n < 1600) {
    notes.push(
      `${options.n} problems: 80 % power for a difference of 3 points at 18 % discordance takes about 1600`,
    );
  }
  return notes;
}
