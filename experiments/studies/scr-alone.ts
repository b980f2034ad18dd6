import { LLADA_CPP } from '../comparison/decodes.js';
import { DECIDED, type Experiment, numbersOf } from '../comparison/experiment.js';
import { PAPER_WORKLOAD, WHO_DECIDED } from '../comparison/words.js';
import { bars } from '../figures/bars.js';
import { meanForwards, meanOf, meanSeconds, variant } from '../lab/decode-statistics.js';

const REFRESH = { 'refresh.kind': 'cpu' };
const PAIRS = [
  ['block by block', 'sts', {}],
  ['sliding, no lookahead', 'mbsd-sts', { 'window.lookahead': null }],
  ['full MBSD', 'mbsd-sts', {}],
] as const;

/** Sparse cache refresh added to staging alone, without selective logits and with or without the window. */
export const scrAlone: Experiment = {
  name: 'scr-alone',
  title: 'Sparse cache refresh alone: its price without the other techniques',
  paper: null,
  runs: 'staging at 0.7 / 0.9 on three windows, with and without refresh on the CPU, all logits; llada.cpp with SOMR',
  workload: PAPER_WORKLOAD,
  stacks: ['llada.cpp'],
  measure: async (_, open) => {
    const decodes = await open();
    const without: number[] = [];
    const with_: number[] = [];
    const forwards: number[] = [];
    const refreshes: number[] = [];
    const visible: number[] = [];
    for (const [, policy, changes] of PAIRS) {
      without.push(meanSeconds(await decodes.run(variant(policy, changes), LLADA_CPP)));
      const facts = await decodes.run(variant(policy, { ...changes, ...REFRESH }), LLADA_CPP);
      with_.push(meanSeconds(facts));
      forwards.push(meanForwards(facts));
      refreshes.push(meanOf(facts.map((each) => each.refreshes)));
      visible.push(meanOf(facts.map((each) => each.visibleAtBlockEnd.reduce((a, b) => a + b, 0))));
    }
    return {
      window: PAIRS.map(([name]) => name),
      without_s: without,
      with_s: with_,
      forwards,
      refreshes,
      visible_at_block_end: visible,
    };
  },
  derived: { gain: 'without_s ./ with_s' },
  rows: [
    {
      name: 'gain of SCR, {label}',
      labels: 'window',
      unit: 'x',
      ours: 'gain',
      paper: null,
      kind: DECIDED,
      band: { claim: 'T9', text: '0.93 to 1.00', pass: 'ours >= 0.93 and ours <= 1.0000001' },
      whenMissed: 'refreshed tokens may let blocks finish earlier, or the side lane delays the main path',
    },
    {
      name: 'refresh passes, {label}',
      labels: 'window',
      unit: 'per answer',
      ours: 'refreshes',
      paper: null,
      kind: DECIDED,
    },
    {
      name: 'visible at block end, {label}',
      labels: 'window',
      unit: 'tokens per answer',
      ours: 'visible_at_block_end',
      paper: null,
      kind: DECIDED,
    },
  ],
  notes: [
    WHO_DECIDED,
    'Refresh runs beside the NPU on cores and bandwidth that the main path leaves: in this machine it cannot delay it. What it does to answers takes a model that can be right: `dllm-npu quality`.',
  ],
  figure: (columns) =>
    bars([
      {
        title: 'Gain of SCR',
        unit: 'seconds without / with',
        names: PAIRS.map(([name]) => name),
        values: numbersOf(columns, 'gain'),
      },
      {
        title: 'Visible at block end',
        unit: 'tokens per answer',
        names: PAIRS.map(([name]) => name),
        values: numbersOf(columns, 'visible_at_block_end'),
      },
    ]),
};
