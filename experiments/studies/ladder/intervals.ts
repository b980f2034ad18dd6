import { UsageError } from '../../../src/errors.js';
import { mean, median } from '../../../src/score/statistics/samples.js';
import { caseRatioIntervals } from '../../comparison/case-intervals.js';
import type { Lab } from '../../lab/lab.js';
import { LADDER } from './ladder.js';
import { type MachineSpread, machineSpread, type RowStep } from './machine-spread.js';
import type { AblationOptions } from './options.js';
import { chipOf, type PromptResult } from './prompts.js';
import type { AblationRow } from './types.js';

const CPU_KV = LADDER.findIndex(({ name }) => name === 'CPU + prefix KV');

/**
 * The rows with intervals of their factor over CPU + prefix KV: over the prompts, and over what is not known of the machine.
 * A chip on whose draws the ladder does not run has none.
 */
export function withIntervals(
  rows: readonly AblationRow[],
  prompts: readonly PromptResult[],
  options: AblationOptions,
  lab: Lab,
  signal?: AbortSignal,
): AblationRow[] {
  const cases = caseRatioIntervals(
    rows.map(({ latency_s }) => latency_s.samples),
    rows.map((_, row) => [CPU_KV, row]),
    median,
    options.seed,
  );
  const machine = spreadOf(prompts, options, lab, signal);
  if (machine === null) return [...rows];
  return rows.map((row, at) => {
    const [low, high, factor] = [cases.low[at], cases.high[at], row.speedup.vsCpuKv];
    if (low === null || high === null || factor === null) return row;
    return { ...row, speedupIntervals: { cases: { low, high }, machine: machine.ratio(CPU_KV, at, factor) } };
  });
}

function spreadOf(
  prompts: readonly PromptResult[],
  options: AblationOptions,
  lab: Lab,
  signal?: AbortSignal,
): MachineSpread | null {
  try {
    return machineSpread(
      (row) => lab.machine(chipOf(options, row)),
      LADDER.map((_, row) => stepOf(prompts, row, options)),
      signal,
    );
  } catch (error) {
    if (error instanceof UsageError) return null;
    throw error;
  }
}

/** The step that stands for a row: the rows of a mean denoising pass, half of the answer cached. */
function stepOf(
  prompts: readonly PromptResult[],
  row: number,
  { genLength, blockLength }: AblationOptions,
): RowStep {
  const prompt = mean(prompts.map(({ promptTokens }) => promptTokens));
  if (LADDER[row].policy === 'llada') {
    const rows = Math.round(prompt + genLength);
    return { rows, context: 0, logitsRows: rows };
  }
  const works = prompts.map(({ rows, promptTokens }) => ({ promptTokens, ...rows[row].counters }));
  const perStep = (of: (work: (typeof works)[number]) => number): number =>
    Math.max(1, Math.round(mean(works.map((work) => of(work) / work.forwards.denoise))));
  const rows = perStep(
    ({ mainRows, promptTokens, forwards }) => mainRows - promptTokens - forwards.seal * blockLength,
  );
  return {
    rows,
    context: Math.round(prompt + genLength / 2),
    logitsRows: Math.min(
      rows,
      perStep(({ logitsRows }) => logitsRows),
    ),
  };
}
