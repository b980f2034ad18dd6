import { type Experiment, FITTED, numbersOf } from '../comparison/experiment.js';
import { FITTED_NOTE, OTHER_MODEL, PAPER_WORKLOAD } from '../comparison/words.js';
import { curves } from '../figures/curves.js';
import { firstCommitByPosition, variant } from '../lab/decode-statistics.js';

const BLOCK = 32;

export const fig8: Experiment = {
  name: 'fig8',
  title: 'The commit frontier: mean step of the first commit by position',
  paper: 'fig8',
  runs: 'policy threshold (0.9, block by block on prefix KV); blocks that hold text',
  workload: PAPER_WORKLOAD,
  stacks: [],
  measure: async (_, open) => {
    const decodes = await (await open()).run(variant('threshold'));
    return {
      position: Array.from({ length: BLOCK }, (_, i) => i + 1),
      first_commit_step: firstCommitByPosition(decodes, BLOCK),
    };
  },
  derived: {
    fitted_slope: 'slope(position, first_commit_step)',
    fitted_start: 'intercept(position, first_commit_step)',
    fitted: 'fitted_start + fitted_slope * position',
  },
  rows: [
    {
      name: 'slope',
      unit: 'steps per position',
      ours: 'fitted_slope',
      kind: FITTED,
      paper: 'slope(paper.position, paper.first_commit_step)',
      band: { claim: 'T14', text: '0.07 to 0.13', pass: 'ours >= 0.07 and ours <= 0.13' },
      whenMissed: OTHER_MODEL,
    },
    {
      name: 'correlation with position',
      unit: '',
      kind: FITTED,
      ours: 'pearson(position, first_commit_step)',
      paper: 'pearson(paper.position, paper.first_commit_step)',
      band: { claim: 'T14', text: 'over 0.85', pass: 'ours > 0.85' },
      whenMissed: OTHER_MODEL,
    },
    {
      name: 'last quarter over first quarter',
      unit: 'x',
      kind: FITTED,
      ours: 'mean(first_commit_step[25:32]) / mean(first_commit_step[1:8])',
      paper: 'mean(paper.first_commit_step[25:32]) / mean(paper.first_commit_step[1:8])',
      band: { claim: 'T14', text: 'rises', pass: 'ours > 1' },
      whenMissed: OTHER_MODEL,
    },
  ],
  notes: [FITTED_NOTE, 'The paper does not say which commit rule the figure was taken under.'],
  figure: (columns, paper) =>
    curves([
      {
        title: 'First commit',
        x: { title: 'position in the block', values: [1, 8, 16, 24, 32] },
        y: { title: 'mean step of the block' },
        series: [
          {
            source: 'here',
            mark: 'linked',
            x: numbersOf(columns, 'position'),
            y: numbersOf(columns, 'first_commit_step'),
          },
          { source: 'paper', x: numbersOf(paper, 'position'), y: numbersOf(paper, 'first_commit_step') },
        ],
      },
    ]),
};
