import { type TimedCaseResult, timedCases } from '../../lab/kinds/case-result.js';
import type { WantedRun } from '../../lab/plan.js';
import { type ChipSetup, chipSchema } from '../../lab/setup.js';
import { runAll, type StudyOptions } from '../../lab/study.js';
import { LADDER, type LadderRow } from './ladder.js';
import type { AblationOptions } from './options.js';

/** One prompt under one row of the ladder. */
export interface PromptRowResult extends TimedCaseResult {
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

export function chipOf(
  { costModel, quant, profile }: AblationOptions,
  { stack, memory }: LadderRow,
): ChipSetup {
  return chipSchema.parse({ costModel, quant, profile, stack, memory });
}

/** First row of each policy: what is verified of it holds for the rows that only change the machine. */
const FIRST_OF_POLICY = LADDER.filter(
  ({ policy }, at) => LADDER.findIndex((row) => row.policy === policy) === at,
);

/** Decodes and times every prompt under every row of the ladder, and verifies the first ones. */
export async function runPrompts(options: AblationOptions, study: StudyOptions): Promise<PromptResult[]> {
  const indices = Array.from({ length: options.prompts }, (_, at) => options.firstIndex + at);
  const verified = indices.slice(0, options.verifyPrompts);
  const wanted = [
    ...indices.flatMap((index) => LADDER.map((row) => wantedRun(options, row, index))),
    ...verified.flatMap((index) =>
      FIRST_OF_POLICY.map((row): WantedRun => {
        const { config } = wantedRun(options, row, index);
        return { kind: 'verify', config: { ...config, every: options.verifyEvery } };
      }),
    ),
  ];
  const records = await runAll(wanted, study);
  const verdicts = records.slice(indices.length * LADDER.length);
  return indices.map((index, prompt) => {
    const rows = LADDER.map((row, at): PromptRowResult => {
      const [result] = timedCases(records[prompt * LADDER.length + at]).cases;
      const first = FIRST_OF_POLICY.findIndex(({ policy }) => policy === row.policy);
      const metrics =
        prompt < verified.length ? verdicts[prompt * FIRST_OF_POLICY.length + first].metrics : null;
      return { ...result, verified: metrics as PromptRowResult['verified'] };
    });
    return { index, promptTokens: rows[0].promptTokens, rows };
  });
}

function wantedRun(options: AblationOptions, row: LadderRow, index: number): WantedRun {
  const { model: workload, seed, genLength, blockLength } = options;
  const method = { policy: row.policy, blockLength };
  const cases = { seed, firstCase: index, cases: 1, genLength };
  return { kind: 'decode', config: { workload, ...method, ...chipOf(options, row), ...cases } };
}
