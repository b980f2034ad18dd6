import { wilson } from '../../../src/score/statistics/proportion.js';
import { mean, medianInterval } from '../../../src/score/statistics/samples.js';
import { LADDER, type LadderRow } from './ladder.js';
import type { PromptResult, PromptRowResult } from './prompts.js';
import type { AblationRow, Divergence, TokenExact } from './types.js';

/** Text of a token for messages. */
export type TokenText = (id: number) => string;

const CPU_KV = 'CPU + prefix KV';

const rowIndex = (rows: readonly LadderRow[], name: string): number =>
  rows.findIndex((row) => row.name === name);

/**
 * Folds the prompts of a run into the rows of the summary.
 * @param published whether Table 6 was measured under the run's costs; an order only, as the data set is another
 */
export function aggregate(
  prompts: readonly PromptResult[],
  textOf: TokenText,
  seed: number,
  published: boolean,
  rows: readonly LadderRow[] = LADDER,
): AblationRow[] {
  const column = (index: number): PromptRowResult[] => prompts.map((prompt) => prompt.rows[index]);
  const medians = rows.map((_, index) => medianInterval(seconds(column(index)), seed).median);
  const cpuKv = rowIndex(rows, CPU_KV);
  return rows.map((row, index): AblationRow => {
    const results = column(index);
    const samples = seconds(results);
    const hasWindow = row.memory !== 'unlimited';
    return {
      name: row.name,
      policy: row.policy,
      stack: row.stack,
      memory: row.memory,
      latency_s: { ...medianInterval(samples, seed), samples },
      speedup: {
        vsPrevious: index === 0 ? null : medians[index - 1] / medians[index],
        vsCpuKv: cpuKv < 0 ? null : medians[cpuKv] / medians[index],
      },
      forwards: {
        mean: mean(results.map((r) => r.counters.nfe)),
        denoise: mean(results.map((r) => r.counters.forwards.denoise)),
        prefill: mean(results.map((r) => r.counters.forwards.prefill)),
        seal: mean(results.map((r) => r.counters.forwards.seal)),
        refresh: mean(results.map((r) => r.counters.forwards.refresh + r.counters.sideRefreshes)),
      },
      tokens_per_forward: {
        all: mean(results.map((r) => r.counters.tokens)) / mean(results.map((r) => r.counters.nfe)),
        text: mean(results.map((r) => r.counters.textTokens)) / mean(results.map((r) => r.counters.nfe)),
      },
      utilization: utilization(results),
      mapped_bytes_per_step: hasWindow ? perStep(results, 'mappedBytes') : null,
      staged_bytes_per_step: hasWindow ? perStep(results, 'stagedBytes') : null,
      accuracy: accuracy(results),
      token_exact: tokenExact(prompts, rows, index, textOf),
      paper_s: published ? row.paperS : null,
      paper_speedup: published
        ? {
            vsPrevious: index === 0 ? null : rows[index - 1].paperS / row.paperS,
            vsCpuKv: cpuKv < 0 ? null : rows[cpuKv].paperS / row.paperS,
          }
        : undefined,
      paperKind: 'ordering',
    };
  });
}

function seconds(results: readonly PromptRowResult[]): number[] {
  return results.map((r) => r.ms / 1000);
}

function total(
  results: readonly PromptRowResult[],
  of: (r: PromptRowResult) => number | undefined,
): number | null {
  const values = results.map(of);
  if (values.some((value) => value === undefined)) return null;
  return values.reduce<number>((sum, value) => sum + (value as number), 0);
}

/** Busy time over all prompts divided by the latency over all prompts. */
function utilization(results: readonly PromptRowResult[]): AblationRow['utilization'] {
  const latency = total(results, (r) => r.ms) as number;
  const share = (resource: string): number | null => {
    const busy = total(results, (r) => r.busyMs[resource]);
    return busy === null || latency === 0 ? null : Math.min(1, busy / latency);
  };
  const processed = total(results, (r) => r.machineCounters.matrixMacs);
  const useful = total(results, (r) => r.machineCounters.usefulMacs);
  return {
    matrix: share('matrix'),
    vector: share('vector'),
    dma: share('dma'),
    cpu: share('cpu'),
    dram: share('dram'),
    usefulRows: processed === null || useful === null || processed === 0 ? null : useful / processed,
  };
}

function perStep(results: readonly PromptRowResult[], counter: string): number | null {
  const sum = total(results, (r) => r.machineCounters[counter]);
  return sum === null ? null : sum / (total(results, (r) => r.steps) as number);
}

function accuracy(results: readonly PromptRowResult[]): AblationRow['accuracy'] {
  const tasks = results.flatMap((r) => r.answer?.tasks ?? []);
  const kinds = [...new Set(tasks.map((task) => task.kind))].sort();
  const perTask = kinds.map((kind) => {
    const ofKind = tasks.filter((task) => task.kind === kind);
    return [kind, wilson(ofKind.filter((task) => task.correct).length, ofKind.length)] as const;
  });
  return {
    whole: wilson(results.filter((r) => r.answer?.exact).length, results.length),
    perTask: Object.fromEntries(perTask),
  };
}

/** Compares a row's tokens with its reference row, and reports what re-execution found. */
function tokenExact(
  prompts: readonly PromptResult[],
  rows: readonly LadderRow[],
  index: number,
  textOf: TokenText,
): TokenExact {
  const { tokens } = rows[index];
  const mustMatch = 'sameAs' in tokens;
  const against = mustMatch ? tokens.sameAs : tokens.mayDifferFrom;
  const reference = rowIndex(rows, against);
  let equal = 0;
  let compared = 0;
  let firstDivergence: Divergence | undefined;
  for (const prompt of prompts) {
    const own = prompt.rows[index];
    const theirs = prompt.rows[reference];
    own.tokens.forEach((token, position) => {
      compared += 1;
      if (token === theirs.tokens[position]) {
        equal += 1;
        return;
      }
      firstDivergence ??= {
        prompt: prompt.index,
        position,
        step: own.fixedAt[position],
        expected: textOf(theirs.tokens[position]),
        got: textOf(token),
      };
    });
  }
  const agreement = equal / compared;
  const same = equal === compared;
  return {
    verdict: same ? 'exact' : mustMatch ? 'diverges' : 'not-expected',
    against,
    ...(mustMatch ? {} : { reason: tokens.because }),
    firstDivergence,
    agreement,
    specification: specification(prompts.map((prompt) => prompt.rows[index])),
  };
}

function specification(results: readonly PromptRowResult[]): TokenExact['specification'] {
  const verified = results.flatMap((r) => (r.verified === null ? [] : [r.verified]));
  return {
    prompts: verified.length,
    rows: verified.reduce((sum, v) => sum + v.rows, 0),
    mismatches: verified.reduce((sum, v) => sum + v.mismatches, 0),
    maxConfidenceError: Math.max(0, ...verified.map((v) => v.maxConfidenceError)),
  };
}
