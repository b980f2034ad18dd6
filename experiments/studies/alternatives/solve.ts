import type { Interval } from '../../../sim/interval/interval.js';
import { UsageError } from '../../../src/errors.js';
import type { StepPlan } from '../../../src/pass/pass.js';
import { median } from '../../../src/score/statistics/samples.js';
import { PAPER_WORKLOAD } from '../../comparison/words.js';
import type { Workbench } from '../../comparison/workbench.js';
import { inTurn } from '../../lab/decode-statistics.js';
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
import { Spreads } from './spread.js';

/** Cases of the full table: their spread is small beside the machine's. */
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

/** A row from its cases: the median, and an interval from the fastest to the slowest of them by what the machine leaves open. */
function rowOf(
  where: Omit<AlternativeRow, keyof Price | 'low' | 'high'>,
  prices: readonly Price[],
  { low, high }: Interval,
): AlternativeRow {
  const seconds = prices.map((each) => each.seconds);
  return {
    ...where,
    seconds: median(seconds),
    low: Math.min(...seconds) * low,
    high: Math.max(...seconds) * high,
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
  const spreads = new Spreads(hooks.signal);
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
        const answers = await inTurn(
          Array.from({ length: cases }, (_, index) => index),
          (index) => plansOf(cell, index),
        );
        const prices = answers.map((plans) => priceOf(machine, cell.soc, cell.stack.stack, plans));
        const technique = cell.technique.name;
        rows.push(rowOf({ ...where, technique }, prices, spreads.ofAnswer(cell, technique, answers[0])));
      }
    } catch (error) {
      refuse(Object.values(where).join(', '), error);
    }
  }
  const promptTokens = (await bench.lab.decider(decider, seed)).kind === 'synthetic' ? 80 : 96;
  for (const soc of SOCS)
    for (const stack of STACKS)
      for (const format of FORMATS.filter(({ priced }) => !priced)) {
        const [technique, pruning] = ['autoregressive', PRUNINGS[0].name] as const;
        const where = { soc, stack: stack.name, quant: format.name, pruning, technique };
        try {
          const price = autoregressive(soc, stack.stack, format.quant, promptTokens, genLength);
          const spread = spreads.ofTokens({ soc, stack, format }, promptTokens + Math.floor(genLength / 2));
          rows.push(rowOf(where, [price], spread));
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
