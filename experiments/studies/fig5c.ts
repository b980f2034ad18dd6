import { DECIDED, type Experiment, numbersOf } from '../comparison/experiment.js';
import { PAPER_WORKLOAD, WHO_DECIDED } from '../comparison/words.js';
import { curves } from '../figures/curves.js';
import { skippableShare, variant } from '../lab/decode-statistics.js';

export const fig5c: Experiment = {
  name: 'fig5c',
  title: 'Decisions that can be skipped: rows whose token is final',
  paper: 'fig5c',
  runs: 'policies mbsd-sts (sliding window) and sts (whole block); rows of denoising passes that are stable already',
  workload: PAPER_WORKLOAD,
  stacks: ['llada.cpp'],
  measure: async (_, open) => {
    const decodes = await open();
    const sliding = await decodes.run(variant('mbsd-sts'));
    const block = await decodes.run(variant('sts'));
    const sorted = (shares: number[]) => shares.sort((a, b) => b - a);
    return {
      case: sliding.map((_, i) => i + 1),
      sliding_pct: sorted(sliding.map((facts) => skippableShare([facts]))),
      block_pct: sorted(block.map((facts) => skippableShare([facts]))),
    };
  },
  derived: {},
  rows: [
    {
      name: 'whole block, mean over cases',
      unit: '%',
      ours: 'mean(block_pct)',
      paper: 'mean(paper.skippable_pct)',
      kind: DECIDED,
    },
    {
      name: 'whole block, smallest',
      unit: '%',
      ours: 'min(block_pct)',
      paper: 'min(paper.skippable_pct)',
      kind: DECIDED,
    },
    {
      name: 'whole block, largest',
      unit: '%',
      ours: 'max(block_pct)',
      paper: 'max(paper.skippable_pct)',
      kind: DECIDED,
    },
    {
      name: 'sliding window, mean over cases',
      unit: '%',
      ours: 'mean(sliding_pct)',
      paper: 'mean(paper.skippable_pct)',
      kind: DECIDED,
    },
  ],
  notes: [
    WHO_DECIDED,
    'The paper does not say which window the figure was taken under: a sliding window leaves final rows behind, so less is left to skip.',
  ],
  figure: (columns, paper) => {
    const x = { title: 'case, by share', values: [1, 5, 10, 15, 20] };
    const y = { title: 'skippable decisions, %' };
    return curves([
      {
        title: 'whole block',
        x,
        y,
        series: [
          {
            source: 'here',
            mark: 'points',
            x: numbersOf(columns, 'case'),
            y: numbersOf(columns, 'block_pct'),
          },
          { source: 'paper', x: numbersOf(paper, 'case'), y: numbersOf(paper, 'skippable_pct') },
        ],
      },
      {
        title: 'sliding window',
        x,
        y,
        series: [
          {
            source: 'here',
            mark: 'points',
            x: numbersOf(columns, 'case'),
            y: numbersOf(columns, 'sliding_pct'),
          },
          { source: 'paper', x: numbersOf(paper, 'case'), y: numbersOf(paper, 'skippable_pct') },
        ],
      },
    ]);
  },
};
