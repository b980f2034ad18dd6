import { bootstrap, drawn } from '../../src/score/statistics/bootstrap.js';
import { between, over } from '../comparison/bands.js';
import { line } from '../comparison/statistics.js';
import { defineStudy } from '../comparison/study.js';
import { FITTED, FITTED_NOTE, OTHER_MODEL, PAPER_WORKLOAD } from '../comparison/words.js';
import { curves } from '../figures/curves.js';
import { firstCommitByPosition, meanOf, variant } from '../lab/decode-statistics.js';

const BLOCK = 32;

export const fig8 = defineStudy({
  name: 'fig8',
  title: 'The commit frontier: mean step of the first commit by position',
  paper: 'fig8',
  runs: 'policy threshold (0.9, block by block on prefix KV); blocks that hold text',
  workload: PAPER_WORKLOAD,
  stacks: [],
  measure: async (bench, open) => {
    const decodes = await (await open()).run(variant('threshold'));
    const steps = (of: typeof decodes): number[] => firstCommitByPosition(of, BLOCK);
    const ends = bootstrap(decodes.length, (cases) => steps(drawn(decodes, cases)), bench.options.seed);
    return {
      position: Array.from({ length: BLOCK }, (_, i) => i + 1),
      first_commit_step: steps(decodes),
      low_step: ends.low,
      high_step: ends.high,
    };
  },
  derive: ({ position, first_commit_step }) => {
    const { slope, intercept } = line(position, first_commit_step);
    return {
      fitted_slope: slope,
      fitted_start: intercept,
      fitted: position.map((at) => intercept + slope * at),
    };
  },
  formulas: {
    fitted_slope: 'least squares of first_commit_step over position',
    fitted_start: 'the same: value at position 0',
    fitted: 'fitted_start + fitted_slope * position',
  },
  compare: (ours, paper) => {
    const published = line(paper.position, paper.first_commit_step);
    const lastOverFirst = (steps: readonly number[]): number =>
      meanOf(steps.slice(-BLOCK / 4)) / meanOf(steps.slice(0, BLOCK / 4));
    return [
      {
        name: 'slope',
        unit: 'steps per position',
        ours: ours.fitted_slope,
        kind: FITTED,
        paper: published.slope,
        band: { claim: 'T14', text: '0.07 to 0.13', holds: between(0.07, 0.13) },
        whenMissed: OTHER_MODEL,
      },
      {
        name: 'correlation with position',
        unit: '',
        kind: FITTED,
        ours: line(ours.position, ours.first_commit_step).r,
        paper: published.r,
        band: { claim: 'T14', text: 'over 0.85', holds: over(0.85) },
        whenMissed: OTHER_MODEL,
      },
      {
        name: 'last quarter over first quarter',
        unit: 'x',
        kind: FITTED,
        ours: lastOverFirst(ours.first_commit_step),
        paper: lastOverFirst(paper.first_commit_step),
        band: { claim: 'T14', text: 'rises', holds: over(1) },
        whenMissed: OTHER_MODEL,
      },
    ];
  },
  notes: [FITTED_NOTE, 'The paper does not say which commit rule the figure was taken under.'],
  figure: (ours, paper) =>
    curves([
      {
        title: 'When a position is first committed',
        x: { title: 'position in the block', values: [1, 8, 16, 24, 32] },
        y: { title: 'mean denoising step of the block' },
        series: [
          {
            source: 'here',
            mark: 'linked',
            x: ours.position,
            y: ours.first_commit_step,
            low: ours.low_step,
            high: ours.high_step,
          },
          { source: 'paper', x: paper.position, y: paper.first_commit_step },
        ],
      },
    ]),
});
