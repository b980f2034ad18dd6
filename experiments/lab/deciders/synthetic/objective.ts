import { paperTable } from '../../../paper/numbers.js';
import { committedBelow, firstCommitByPosition, tokensPerStep, variant } from '../../decode-statistics.js';
import { openPolicy } from '../../open.js';
import { type DecodeFacts, decodeFacts } from '../facts.js';
import { caseOf, PROMPT_TOKENS, SyntheticDecider } from './decider.js';
import { plainThreshold } from './plain-threshold.js';
import type { ProcessParameters } from './process.js';

/** One point of Figure 5b or 8: what the process gives and what was published. */
export interface Residual {
  readonly name: string;
  readonly fitted: number;
  readonly target: number;
  /** Difference that counts as one unit: about what reading a plot and five cases leave open. */
  readonly scale: number;
}

export interface FitRun {
  readonly seed: number;
  readonly cases: number;
  readonly genLength: number;
}

const BLOCK = 32;
/** Figure 8 does not say its commit rule; the plain threshold of the same section. */
const FIG8_TAU = 0.9;

/** What a single threshold gives, as Figures 5b and 8 show it. */
export interface ThresholdStatistics {
  readonly tokensPerStep: number;
  /** Percent. */
  readonly committedBelow: number;
  readonly firstCommit: readonly number[];
}

/** How decodes at one threshold are made. */
export type ThresholdDecodes = (
  parameters: ProcessParameters,
  run: FitRun,
  tau: number,
) => Promise<ThresholdStatistics> | ThresholdStatistics;

const WEAK = 0.9;

/** By the session, as every experiment decodes. */
export async function bySession(
  parameters: ProcessParameters,
  run: FitRun,
  tau: number,
): Promise<ThresholdStatistics> {
  const workload = new SyntheticDecider({
    name: 'synthetic',
    fittedTo: 'nothing yet',
    parameters,
    ...fitSource(run),
  });
  const policy = openPolicy(variant('threshold', { 'commit.tau': tau }));
  const facts: DecodeFacts[] = [];
  for (let index = 0; index < run.cases; index++)
    facts.push(await decodeFacts(workload, index, { policy, genLength: run.genLength }));
  return {
    tokensPerStep: tokensPerStep(facts, run.genLength),
    committedBelow: committedBelow(facts, WEAK),
    firstCommit: firstCommitByPosition(facts, BLOCK),
  };
}

/** By the same policy written out, for the search. */
export function plainly(parameters: ProcessParameters, run: FitRun, tau: number): ThresholdStatistics {
  const sums = new Array<number>(BLOCK).fill(0);
  let steps = 0;
  let weak = 0;
  for (let index = 0; index < run.cases; index++) {
    const found = plainThreshold(parameters, caseOf(fitSource(run), index), run.genLength, BLOCK, tau);
    steps += found.steps;
    for (const { offset, step, confidence } of found.commits) {
      sums[offset] = (sums[offset] ?? 0) + step;
      if (confidence < WEAK) weak++;
    }
  }
  const tokens = run.cases * run.genLength;
  return {
    tokensPerStep: tokens / steps,
    committedBelow: (100 * weak) / tokens,
    firstCommit: sums.map((sum) => (sum * BLOCK) / tokens),
  };
}

function fitSource({ seed }: FitRun) {
  return { seed, promptTokens: PROMPT_TOKENS, textTokens: null };
}

/** Decodes at the thresholds of Figure 5b and compares with Figures 5b and 8. Deterministic. */
export async function residuals(
  parameters: ProcessParameters,
  run: FitRun,
  decodes: ThresholdDecodes = bySession,
): Promise<Residual[]> {
  const fig5b = paperTable('fig5b').columns;
  const fig8 = paperTable('fig8').columns.first_commit_step ?? [];
  const found: Residual[] = [];
  for (const [i, tau] of (fig5b.threshold ?? []).entries()) {
    const at = await decodes(parameters, run, Number(tau));
    const speed = Number(fig5b.tokens_per_step?.[i]);
    found.push(
      {
        name: `Figure 5b, tokens per step at ${tau}`,
        fitted: at.tokensPerStep,
        target: speed,
        scale: 0.05 * speed,
      },
      {
        name: `Figure 5b, % committed below 0.9 at ${tau}`,
        fitted: at.committedBelow,
        target: Number(fig5b.below_pct?.[i]),
        scale: 4,
      },
    );
    if (tau !== FIG8_TAU) continue;
    at.firstCommit.forEach((fitted, position) => {
      const target = Number(fig8[position]);
      found.push({ name: `Figure 8, position ${position + 1}`, fitted, target, scale: 0.3 });
    });
  }
  return found;
}

/** Mean square of the residuals of each figure, in units of their scales, both figures counting alike. */
export function objective(of: readonly Residual[]): number {
  const mean = (figure: string): number => {
    const own = of.filter(({ name }) => name.startsWith(figure));
    return (
      own.reduce((sum, { fitted, target, scale }) => sum + ((fitted - target) / scale) ** 2, 0) / own.length
    );
  };
  return (mean('Figure 5b') + mean('Figure 8')) / 2;
}

export const OBJECTIVE_TEXT =
  'mean of the two figures of the mean square of (fitted - published) / scale; scale: 5 % of tokens per step, 4 points of the share below 0.9, 0.3 steps of Figure 8';
