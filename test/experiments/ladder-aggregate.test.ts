import { describe, expect, it } from 'vitest';
import { aggregate } from '../../experiments/studies/ladder/aggregate.js';
import { wrongRows } from '../../experiments/studies/ladder/check.js';
import type { LadderRow } from '../../experiments/studies/ladder/ladder.js';
import type { PromptResult, PromptRowResult } from '../../experiments/studies/ladder/prompts.js';

/** A ladder of four rows: the baseline, the one that speed-ups are over, one that must match it, one that need not. */
const ROWS: readonly LadderRow[] = [
  { name: 'CPU', memory: 'unlimited', paperS: 1000, tokens: { sameAs: 'CPU' } },
  {
    name: 'CPU + prefix KV',
    memory: 'unlimited',
    paperS: 200,
    tokens: { mayDifferFrom: 'CPU', because: 'context' },
  },
  { name: '+ SOMR', memory: 'somr', paperS: 50, tokens: { sameAs: 'CPU + prefix KV' } },
  {
    name: '+ STS',
    memory: 'somr',
    paperS: 10,
    tokens: { mayDifferFrom: 'CPU + prefix KV', because: 'order' },
  },
].map((row) => ({ ...row, policy: 'any', stack: 'cpu' }) as LadderRow);

const result = (
  ms: number,
  tokens: readonly number[],
  change: Partial<PromptRowResult> = {},
): PromptRowResult =>
  ({
    case: 0,
    promptTokens: 5,
    steps: 4,
    counters: {
      nfe: 10,
      tokens: 40,
      textTokens: 20,
      sideRefreshes: 3,
      forwards: { denoise: 6, prefill: 1, seal: 2, refresh: 1 },
    },
    tokens: [...tokens],
    fixedAt: tokens.map((_, at) => at),
    remainingVisible: 0,
    answer: { exact: true, tasks: [{ kind: 'sort', correct: true }] },
    ms,
    joules: 1,
    busyMs: { matrix: ms / 2, vector: ms / 4, dma: ms / 5, cpu: ms / 10, dram: ms },
    machineCounters: { matrixMacs: 1000, usefulMacs: 900, mappedBytes: 800, stagedBytes: 400 },
    verified: { rows: 7, mismatches: 0, maxConfidenceError: 0.001 },
    ...change,
  }) as PromptRowResult;

const prompt = (index: number, ...rows: PromptRowResult[]): PromptResult => ({
  index,
  promptTokens: 5,
  rows,
});
const same = [1, 2, 3, 4];
const sound = [
  prompt(0, result(8000, same), result(4000, same), result(1000, same), result(500, same)),
  prompt(1, result(8000, same), result(4000, same), result(1000, same), result(500, [1, 2, 9, 4])),
];
const fold = (prompts: readonly PromptResult[]) => aggregate(prompts, (id) => `t${id}`, 1, true, ROWS);

describe('rows of a ladder', () => {
  it('state speed-ups over the row before and over CPU + prefix KV, of ours and of the paper', () => {
    const rows = fold(sound);
    expect(rows.map(({ speedup }) => speedup.vsPrevious)).toEqual([null, 2, 4, 2]);
    expect(rows.map(({ speedup }) => speedup.vsCpuKv)).toEqual([0.5, 1, 4, 8]);
    expect(rows.map(({ paper_speedup }) => paper_speedup?.vsPrevious)).toEqual([null, 5, 4, 5]);
    expect(rows.map(({ paper_speedup }) => paper_speedup?.vsCpuKv)).toEqual([0.2, 1, 4, 20]);
    const without = aggregate(sound, String, 1, false, [ROWS[0], { ...ROWS[1], name: 'other' }]);
    expect(without.map(({ speedup }) => speedup.vsCpuKv)).toEqual([null, null]);
    expect(without.map(({ paper_s }) => paper_s)).toEqual([null, null]);
  });

  it('share busy time over time, of all prompts together', () => {
    const [row] = fold([
      prompt(0, result(1000, same), ...[1, 2, 3].map(() => result(1, same))),
      prompt(
        1,
        result(3000, same, { busyMs: { matrix: 3000, vector: 0, dma: 0, cpu: 0, dram: 0 } }),
        ...[1, 2, 3].map(() => result(1, same)),
      ),
    ]);
    expect(row.utilization).toEqual({
      matrix: 3500 / 4000,
      vector: 250 / 4000,
      dma: 200 / 4000,
      cpu: 100 / 4000,
      dram: 1000 / 4000,
      usefulRows: 0.9,
    });
    expect(row.latency_s).toMatchObject({ median: 2, samples: [1, 3] });
  });

  it('count forwards, tokens per forward and bytes per step', () => {
    const [cpu, , somr] = fold(sound);
    expect(somr.forwards).toEqual({ mean: 10, denoise: 6, prefill: 1, seal: 2, refresh: 4 });
    expect(somr.tokens_per_forward).toEqual({ all: 4, text: 2 });
    expect([somr.mapped_bytes_per_step, somr.staged_bytes_per_step]).toEqual([200, 100]);
    // Without a window nothing is mapped: unknown is not zero.
    expect([cpu.mapped_bytes_per_step, cpu.staged_bytes_per_step]).toEqual([null, null]);
  });

  it('say nothing of a unit or counter that some prompt does not have', () => {
    const lacking = result(1000, same, { busyMs: { matrix: 1 }, machineCounters: {} });
    const [row] = fold([prompt(0, lacking, ...sound[0].rows.slice(1)), sound[1]]);
    expect(row.utilization).toMatchObject({ vector: null, dma: null, usefulRows: null });
  });

  it('share right answers, whole and by task', () => {
    const wrong = result(1000, same, {
      answer: {
        exact: false,
        tasks: [
          { kind: 'sort', correct: true },
          { kind: 'count', correct: false },
        ],
      },
    });
    const [row] = fold([prompt(0, wrong, ...sound[0].rows.slice(1)), sound[1]]);
    expect(row.accuracy.whole).toMatchObject({ successes: 1, n: 2 });
    expect(row.accuracy.perTask).toMatchObject({
      count: { successes: 0, n: 1 },
      sort: { successes: 2, n: 2 },
    });
  });
});

describe('the token check of a row', () => {
  it('is exact only when every token of every prompt is its reference row’s', () => {
    const [, , somr, sts] = fold(sound);
    expect(somr.token_exact).toMatchObject({ verdict: 'exact', against: 'CPU + prefix KV', agreement: 1 });
    expect(sts.token_exact).toMatchObject({
      verdict: 'not-expected',
      reason: 'order',
      agreement: 7 / 8,
      firstDivergence: { prompt: 1, position: 2, step: 2, expected: 't3', got: 't9' },
    });
    expect(wrongRows(fold(sound))).toEqual([]);
  });

  it('says that a row diverges which must match, in whichever prompt', () => {
    const [first, second] = sound;
    const changed = prompt(1, second.rows[0], second.rows[1], result(1000, [1, 2, 3, 7]), second.rows[3]);
    const rows = fold([first, changed]);
    expect(rows[2].token_exact).toMatchObject({
      verdict: 'diverges',
      agreement: 7 / 8,
      firstDivergence: { prompt: 1, position: 3, expected: 't4', got: 't7' },
    });
    expect(wrongRows(rows)).toEqual(['+ SOMR: tokens differ from CPU + prefix KV']);
  });

  it('sums what re-execution found over the prompts that were verified', () => {
    const bad = result(1000, same, { verified: { rows: 5, mismatches: 2, maxConfidenceError: 0.25 } });
    const none = result(1000, same, { verified: null });
    const [first, second] = sound;
    const rows = fold([
      prompt(0, bad, first.rows[1], none, none),
      prompt(1, second.rows[0], second.rows[1], second.rows[2], none),
    ]);
    expect(rows.map(({ token_exact }) => token_exact.specification)).toEqual([
      { prompts: 2, rows: 12, mismatches: 2, maxConfidenceError: 0.25 },
      { prompts: 2, rows: 14, mismatches: 0, maxConfidenceError: 0.001 },
      { prompts: 1, rows: 7, mismatches: 0, maxConfidenceError: 0.001 },
      { prompts: 0, rows: 0, mismatches: 0, maxConfidenceError: 0 },
    ]);
    expect(wrongRows(rows)).toEqual(['CPU: 2 of 12 predictions differ from their specification']);
  });
});
