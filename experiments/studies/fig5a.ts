import { bootstrap, drawn } from '../../src/score/statistics/bootstrap.js';
import { valueAt } from '../comparison/columns.js';
import { series } from '../comparison/compare.js';
import { defineStudy } from '../comparison/study.js';
import { DECIDED, OTHER_MODEL, PAPER_WORKLOAD, WHO_DECIDED } from '../comparison/words.js';
import { curves } from '../figures/curves.js';
import { tailShare, variant } from '../lab/decode-statistics.js';

const MASKS = [1, 2, 3, 4, 5, 6, 7, 8];

export const fig5a = defineStudy({
  name: 'fig5a',
  title: 'Tail steps: share of steps with few masks left',
  paper: 'fig5a',
  runs: 'policy threshold (0.9, block by block on prefix KV); masks counted at the start of each denoising pass',
  workload: PAPER_WORKLOAD,
  stacks: [],
  measure: async (bench, open) => {
    const decodes = await (await open()).run(variant('threshold'));
    const shares = (of: typeof decodes): number[] => MASKS.map((masks) => tailShare(of, masks));
    const ends = bootstrap(decodes.length, (cases) => shares(drawn(decodes, cases)), bench.options.seed);
    return { masks: MASKS, share_pct: shares(decodes), low_pct: ends.low, high_pct: ends.high };
  },
  // At one token per step every number of masks from 1 to 32 occurs once per block.
  derive: ({ masks }) => ({ one_per_step_pct: masks.map((most) => (100 * most) / 32) }),
  formulas: { one_per_step_pct: '100 * masks / 32' },
  compare: (ours, paper) => {
    const atMostFour = (share: readonly number[]): number =>
      valueAt(MASKS, share, 4) / valueAt(MASKS, ours.one_per_step_pct, 4);
    return [
      ...series(ours.masks, (masks) => `at most ${masks} masks`, {
        unit: '%',
        ours: ours.share_pct,
        cases: { low: ours.low_pct, high: ours.high_pct },
        paper: paper.share_pct,
        kind: DECIDED,
        band: { claim: 'T15', text: 'within 5 points', holds: (row) => Math.abs(row.ours - row.paper) <= 5 },
        whenMissed: OTHER_MODEL,
      }),
      {
        name: 'at most 4 masks, over one token per step',
        unit: 'x',
        kind: DECIDED,
        ours: atMostFour(ours.share_pct),
        paper: atMostFour(paper.share_pct),
      },
    ];
  },
  notes: [WHO_DECIDED, 'Blocks of end-of-text tokens are included: they are decoded too.'],
  figure: (ours, paper) =>
    curves([
      {
        title: 'Tail steps',
        x: { title: 'masks left in the block, at most', values: MASKS },
        y: { title: 'share of steps, %' },
        series: [
          { source: 'here', x: ours.masks, y: ours.share_pct, low: ours.low_pct, high: ours.high_pct },
          { source: 'paper', x: paper.masks, y: paper.share_pct },
        ],
      },
    ]),
});
