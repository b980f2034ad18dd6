import { DECIDED, type Experiment, numbersOf } from '../comparison/experiment.js';
import { OTHER_MODEL, PAPER_WORKLOAD, WHO_DECIDED } from '../comparison/words.js';
import { curves } from '../figures/curves.js';
import { tailShare, variant } from '../lab/decode-statistics.js';

const MASKS = [1, 2, 3, 4, 5, 6, 7, 8];

export const fig5a: Experiment = {
  name: 'fig5a',
  title: 'Tail steps: share of steps with few masks left',
  paper: 'fig5a',
  runs: 'policy threshold (0.9, block by block on prefix KV); masks counted at the start of each denoising pass',
  workload: PAPER_WORKLOAD,
  stacks: [],
  measure: async (_, open) => {
    const decodes = await (await open()).run(variant('threshold'));
    return { masks: MASKS, share_pct: MASKS.map((masks) => tailShare(decodes, masks)) };
  },
  // At one token per step every number of masks from 1 to 32 occurs once per block.
  derived: { one_per_step_pct: '100 * masks / 32' },
  rows: [
    {
      name: 'at most {label} masks',
      labels: 'masks',
      unit: '%',
      ours: 'share_pct',
      paper: 'paper.share_pct',
      kind: DECIDED,
      band: { claim: 'T15', text: 'within 5 points', pass: 'abs(ours - paper) <= 5' },
      whenMissed: OTHER_MODEL,
    },
    {
      name: 'at most 4 masks, over one token per step',
      unit: 'x',
      kind: DECIDED,
      ours: 'share_pct[4] / one_per_step_pct[4]',
      paper: 'paper.share_pct[4] / one_per_step_pct[4]',
    },
  ],
  notes: [WHO_DECIDED, 'Blocks of end-of-text tokens are included: they are decoded too.'],
  figure: (columns, paper) =>
    curves([
      {
        title: 'Tail steps',
        x: { title: 'masks left in the block, at most', values: MASKS },
        y: { title: 'share of steps, %' },
        series: [
          { source: 'here', x: numbersOf(columns, 'masks'), y: numbersOf(columns, 'share_pct') },
          { source: 'paper', x: numbersOf(paper, 'masks'), y: numbersOf(paper, 'share_pct') },
        ],
      },
    ]),
};
