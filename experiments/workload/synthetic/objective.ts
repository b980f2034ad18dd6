import { composePolicy } from '../../../src/decode/compose.js';
import { paperTable } from '../../paper/numbers.js';
import {
  committedBelow,
  firstCommitByPosition,
  tokensPerStep,
  variant,
} from '../../reproduce/decode-statistics.js';
import { type DecodeFacts, decodeFacts } from '../facts.js';
import type { ProcessParameters } from './process.js';
import { PROMPT_TOKENS, SyntheticWorkload } from './workload.js';

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

/** Decodes at the thresholds of Figure 5b and compares with Figures 5b and 8. Deterministic. */
export async function residuals(parameters: ProcessParameters, run: FitRun): Promise<Residual[]> {
  const workload = new SyntheticWorkload({
    ...{ name: 'synthetic', parameters, textTokens: null, seed: run.seed, promptTokens: PROMPT_TOKENS },
  });
  const fig5b = paperTable('fig5b').columns;
  const fig8 = paperTable('fig8').columns.first_commit_step ?? [];
  const found: Residual[] = [];
  for (const [i, tau] of (fig5b.threshold ?? []).entries()) {
    const policy = composePolicy(variant('threshold', { 'commit.tau': tau }));
    const facts: DecodeFacts[] = [];
    for (let index = 0; index < run.cases; index++)
      facts.push(await decodeFacts(workload, index, { policy, genLength: run.genLength }));
    const speed = Number(fig5b.tokens_per_step?.[i]);
    found.push(
      {
        ...{ name: `Figure 5b, tokens per step at ${tau}`, fitted: tokensPerStep(facts, run.genLength) },
        ...{ target: speed, scale: 0.05 * speed },
      },
      {
        ...{ name: `Figure 5b, % committed below 0.9 at ${tau}`, fitted: committedBelow(facts, 0.9) },
        ...{ target: Number(fig5b.below_pct?.[i]), scale: 4 },
      },
    );
    if (tau !== FIG8_TAU) continue;
    firstCommitByPosition(facts, BLOCK).forEach((fitted, position) => {
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
