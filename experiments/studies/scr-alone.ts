import { between } from '../comparison/bands.js';
import { caseIntervals, caseRatioIntervals } from '../comparison/case-intervals.js';
import { ratios } from '../comparison/columns.js';
import { series } from '../comparison/compare.js';
import { LLADA_CPP } from '../comparison/decodes.js';
import { defineStudy } from '../comparison/study.js';
import { DECIDED, PAPER_WORKLOAD, WHO_DECIDED } from '../comparison/words.js';
import { bars } from '../figures/bars.js';
import {
  inTurn,
  meanForwards,
  meanOf,
  meanRefreshes,
  meanSeconds,
  secondsOf,
  variant,
} from '../lab/decode-statistics.js';

const REFRESH = { 'refresh.kind': 'cpu' };
const PAIRS = [
  ['block by block', 'sts', {}],
  ['sliding, no lookahead', 'mbsd-sts', { 'window.lookahead': null }],
  ['full MBSD', 'mbsd-sts', {}],
] as const;

/** Sparse cache refresh added to staging alone, without selective logits and with or without the window. */
export const scrAlone = defineStudy({
  name: 'scr-alone',
  title: 'Sparse cache refresh alone: its price without the other techniques',
  paper: null,
  runs: 'staging at 0.7 / 0.9 on three windows, drafts fed as tokens, with and without refresh on the CPU, all logits; llada.cpp with SOMR',
  workload: PAPER_WORKLOAD,
  stacks: ['llada.cpp'],
  measure: async (bench, open) => {
    const decodes = await open();
    const without = await inTurn(PAIRS, ([, policy, changes]) =>
      decodes.run(variant(policy, changes), LLADA_CPP),
    );
    const refreshing = await inTurn(PAIRS, ([, policy, changes]) =>
      decodes.run(variant(policy, { ...changes, ...REFRESH }), LLADA_CPP),
    );
    const { seed } = bench.options;
    const visible = refreshing.map((facts) =>
      facts.map((each) => each.visibleAtBlockEnd.reduce((a, b) => a + b, 0)),
    );
    const ends = caseIntervals(visible, meanOf, seed);
    const gains = caseRatioIntervals(
      [...without, ...refreshing].map(secondsOf),
      PAIRS.map((_, i) => [i, PAIRS.length + i]),
      meanOf,
      seed,
    );
    return {
      window: PAIRS.map(([name]) => name),
      without_s: without.map(meanSeconds),
      with_s: refreshing.map(meanSeconds),
      forwards: refreshing.map(meanForwards),
      refreshes: refreshing.map(meanRefreshes),
      visible_at_block_end: visible.map(meanOf),
      visible_low: ends.low,
      visible_high: ends.high,
      gain_low: gains.low,
      gain_high: gains.high,
    };
  },
  derive: ({ without_s, with_s }) => ({ gain: ratios(without_s, with_s) }),
  formulas: { gain: 'without_s / with_s' },
  compare: (ours) => [
    ...series(ours.window, (window) => `gain of SCR, ${window}`, {
      unit: 'x',
      ours: ours.gain,
      cases: { low: ours.gain_low, high: ours.gain_high },
      kind: DECIDED,
      band: { claim: 'T9', text: '0.93 to 1.00', holds: between(0.93, 1) },
      whenMissed: 'refreshed tokens may let blocks finish earlier, or the side lane delays the main path',
    }),
    ...series(ours.window, (window) => `refresh passes, ${window}`, {
      unit: 'per answer',
      ours: ours.refreshes,
      kind: DECIDED,
    }),
    ...series(ours.window, (window) => `visible at block end, ${window}`, {
      unit: 'tokens per answer',
      ours: ours.visible_at_block_end,
      cases: { low: ours.visible_low, high: ours.visible_high },
      kind: DECIDED,
    }),
  ],
  notes: [
    WHO_DECIDED,
    'Refresh runs beside the NPU on cores and bandwidth that the main path leaves: in this machine it cannot delay it. What it does to answers takes a model that can be right: `dllm-npu quality`.',
  ],
  figure: (ours) =>
    bars([
      {
        title: 'Gain of SCR',
        axis: 'seconds without / with SCR',
        scale: 'ratio',
        names: ours.window,
        values: ours.gain,
        low: ours.gain_low,
        high: ours.gain_high,
      },
      {
        title: 'Visible at block end',
        axis: 'tokens per answer',
        names: ours.window,
        values: ours.visible_at_block_end,
        low: ours.visible_low,
        high: ours.visible_high,
      },
    ]),
});
