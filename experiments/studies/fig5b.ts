import { type Experiment, FITTED, numbersOf } from '../comparison/experiment.js';
import { FITTED_NOTE, OTHER_MODEL, PAPER_WORKLOAD } from '../comparison/words.js';
import { curves } from '../figures/curves.js';
import { committedBelow, tokensPerStep, variant } from '../lab/decode-statistics.js';

const THRESHOLDS = [0.5, 0.6, 0.65, 0.75, 0.8, 0.85, 0.9, 0.95];

export const fig5b: Experiment = {
  name: 'fig5b',
  title: 'One commit threshold: speed against confidence',
  paper: 'fig5b',
  runs: 'policy threshold (block by block on prefix KV) at eight thresholds; committed tokens below 0.9 when committed',
  workload: PAPER_WORKLOAD,
  stacks: [],
  measure: async (bench, open) => {
    const decodes = await open();
    const { genLength } = bench.options;
    const columns = { tokens_per_step: [], below_pct: [] } as Record<string, number[]>;
    for (const tau of THRESHOLDS) {
      const facts = await decodes.run(variant('threshold', { 'commit.tau': tau }));
      columns.tokens_per_step?.push(tokensPerStep(facts, genLength));
      columns.below_pct?.push(committedBelow(facts, 0.9));
    }
    return { threshold: THRESHOLDS, ...columns };
  },
  derived: {},
  rows: [
    {
      name: 'tokens per step at {label}',
      labels: 'threshold',
      unit: '',
      ours: 'tokens_per_step',
      paper: 'paper.tokens_per_step',
      kind: FITTED,
    },
    {
      name: 'committed below 0.9 at {label}',
      labels: 'threshold',
      unit: '%',
      ours: 'below_pct',
      paper: 'paper.below_pct',
      kind: FITTED,
    },
    {
      name: 'tokens per step fall with the threshold',
      unit: 'rank corr.',
      kind: FITTED,
      ours: 'spearman(threshold, tokens_per_step)',
      paper: 'spearman(paper.threshold, paper.tokens_per_step)',
      band: { claim: 'T13', text: 'under -0.9', pass: 'ours < -0.9' },
      whenMissed: OTHER_MODEL,
    },
    {
      name: 'weak commits fall with the threshold',
      unit: 'rank corr.',
      kind: FITTED,
      ours: 'spearman(threshold, below_pct)',
      paper: 'spearman(paper.threshold, paper.below_pct)',
      band: { claim: 'T13', text: 'under -0.9', pass: 'ours < -0.9' },
      whenMissed: OTHER_MODEL,
    },
  ],
  notes: [
    FITTED_NOTE,
    'A step in which no position reaches the threshold commits the best one: weak commits never vanish.',
  ],
  figure: (columns, paper) => {
    const x = { title: 'commit threshold', zero: false, values: [0.5, 0.6, 0.7, 0.8, 0.9] };
    const panel = (title: string, unit: string, column: string) => ({
      title,
      x,
      y: { title: unit },
      series: [
        {
          source: 'here' as const,
          x: numbersOf(columns, 'threshold'),
          y: numbersOf(columns, column),
        },
        {
          source: 'paper' as const,
          mark: 'linked' as const,
          x: numbersOf(paper, 'threshold'),
          y: numbersOf(paper, column),
        },
      ],
    });
    return curves([
      panel('Tokens per step', 'tokens', 'tokens_per_step'),
      panel('Committed below 0.9', '% of tokens', 'below_pct'),
    ]);
  },
};
