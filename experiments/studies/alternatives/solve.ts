import { UsageError } from '../../../src/errors.js';
import type { StepPlan } from '../../../src/pass/pass.js';
import { median, quantile } from '../../../src/score/statistics/samples.js';
import { PAPER_WORKLOAD } from '../../comparison/words.js';
import type { Workbench } from '../../comparison/workbench.js';
import { openSpec } from '../../lab/open.js';
import { chipSchema, deciderSchema } from '../../lab/setup.js';
import {
  type Cell,
  cells,
  FORMATS,
  PRUNINGS,
  SOCS,
  STACKS,
  type StackName,
  TECHNIQUES,
  type TechniqueName,
} from './grid.js';
import { autoregressive, machineOf, type Price, priceOf } from './price.js';

/**
 * Half the factor by which the machine model misses a published measurement in the median: 17 % over the open rows of
 * `simulate validate` (docs/machine-results.md). It widens every interval.
 */
export const MACHINE_ERROR = 0.17;

/** Cases of the full table: their spread is small beside the machine's error. */
const CASES = 3;

/** The energy model has no GPU: what it would count is the CPU and the memory alone. */
const GPU: StackName = 'GPU';

/** One line of the table. */
export interface AlternativeRow {
  readonly soc: string;
  readonly stack: string;
  readonly quant: string;
  readonly technique: TechniqueName;
  readonly pruning: string;
  readonly seconds: number;
  readonly low: number;
  readonly high: number;
  /** Null on the GPU, whose power nothing here knows. */
  readonly joules: number | null;
  readonly swappedGib: number;
}

export interface Alternatives {
  readonly rows: readonly AlternativeRow[];
  /** Cells that no machine can run, with the reason, each reason once. */
  readonly refused: readonly string[];
  readonly cases: number;
}

/** A row from its cases: the median, and an interval over cases and machine. */
function rowOf(
  where: Omit<AlternativeRow, keyof Price | 'low' | 'high'>,
  prices: readonly Price[],
): AlternativeRow {
  const seconds = prices.map((each) => each.seconds);
  return {
    ...where,
    seconds: median(seconds),
    low: quantile(seconds, 0.025) / (1 + MACHINE_ERROR),
    high: quantile(seconds, 0.975) * (1 + MACHINE_ERROR),
    joules: where.stack === GPU ? null : median(prices.map(({ joules }) => joules)),
    swappedGib: median(prices.map(({ swappedGib }) => swappedGib)),
  };
}

/**
 * Decides each case once per technique, and prices it everywhere. The full system looks at the machine while it decides: its decisions
 * are those of dense Q4_0 on that chip and stack, also where fewer bits or rows are priced.
 */
export async function solveAlternatives(bench: Workbench): Promise<Alternatives> {
  const { options, hooks, lab } = bench;
  const { quick, prompts, seed, genLength } = options;
  const cases = prompts ?? (quick ? 1 : CASES);
  const decider = deciderSchema.parse({ workload: options.workload ?? PAPER_WORKLOAD });
  const refused = new Map<string, string[]>();
  const refuse = (where: string, error: unknown): void => {
    if (!(error instanceof UsageError)) throw error;
    refused.set(error.message, [...(refused.get(error.message) ?? []), where]);
  };
  const plansOf = async ({ soc, stack, technique }: Cell, index: number): Promise<readonly StepPlan[]> => {
    const chip = chipSchema.parse({ profile: soc, stack: stack.stack });
    const spec = openSpec({ policy: technique.policy, options: {}, blockLength: null });
    const question = { decider, seed, index, genLength, spec, clock: chip, costs: chip };
    const { decided } = await lab.solve(question, hooks.signal);
    return decided.steps.map(({ plan }) => plan);
  };
  const rows: AlternativeRow[] = [];
  const all = cells(quick);
  for (let at = 0; at < all.length; at += TECHNIQUES.length) {
    const [first] = all.slice(at, at + TECHNIQUES.length);
    hooks.signal?.throwIfAborted();
    hooks.onProgress?.(at, all.length);
    const where = {
      soc: first.soc,
      stack: first.stack.name,
      quant: first.format.name,
      pruning: first.pruning.name,
    };
    try {
      const machine = machineOf(first);
      for (const cell of all.slice(at, at + TECHNIQUES.length)) {
        const prices: Price[] = [];
        for (let index = 0; index < cases; index++)
          prices.push(priceOf(machine, cell.soc, cell.stack.stack, await plansOf(cell, index)));
        rows.push(rowOf({ ...where, technique: cell.technique.name }, prices));
      }
    } catch (error) {
      refuse(Object.values(where).join(', '), error);
    }
  }
  const promptTokens = (await bench.lab.decider(decider, seed)).kind === 'synthetic' ? 80 : 96;
  for (const soc of SOCS)
    for (const { name: stack, stack: own } of STACKS)
      for (const { name: quant, quant: stored } of FORMATS.filter(({ priced }) => !priced)) {
        const where = { soc, stack, quant, pruning: PRUNINGS[0].name, technique: 'autoregressive' as const };
        try {
          rows.push(rowOf(where, [autoregressive(soc, own, stored, promptTokens, genLength)]));
        } catch (error) {
          refuse(Object.values(where).join(', '), error);
        }
      }
  return {
    rows,
    refused: [...refused].map(
      ([reason, cellsOf]) => `${cellsOf.length} cells (first: ${cellsOf[0]}): ${reason}`,
    ),
    cases,
  };
}
