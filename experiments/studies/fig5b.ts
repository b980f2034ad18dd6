import { bootstrap, drawn } from '../../src/score/statistics/bootstrap.js';
import { under } from '../comparison/bands.js';
import { series } from '../comparison/compare.js';
import { spearman } from '../comparison/statistics.js';
import { defineStudy } from '../comparison/study.js';
import { FITTED, FITTED_NOTE, OTHER_MODEL, PAPER_WORKLOAD } from '../comparison/words.js';
import { curves, type Panel } from '../figures/curves.js';
import { committedBelow, inTurn, tokensPerStep, variant } from '../lab/decode-statistics.js';

const THRESHOLDS = [0.5, 0.6, 0.65, 0.75, 0.8, 0.85, 0.9, 0.95];

const FALLS = { claim: 'T13', text: 'under -0.9', holds: under(-0.9) };

export const fig5b = defineStudy({
  name: 'fig5b',
  title: 'One commit threshold: speed against confidence',
  paper: 'fig5b',
  runs: 'policy threshold (block by block on prefix KV) at eight thresholds; committed tokens below 0.9 when committed',
  workload: PAPER_WORKLOAD,
  stacks: [],
  measure: async (bench, open) => {
    const decodes = await open();
    const { genLength } = bench.options;
    const found = await inTurn(THRESHOLDS, (tau) => decodes.run(variant('threshold', { 'commit.tau': tau })));
    const perStep = (of: typeof found): number[] => of.map((facts) => tokensPerStep(facts, genLength));
    const below = (of: typeof found): number[] => of.map((facts) => committedBelow(facts, 0.9));
    const ends = bootstrap(
      found[0].length,
      (cases) => {
        const seen = found.map((facts) => drawn(facts, cases));
        return [...perStep(seen), ...below(seen)];
      },
      bench.options.seed,
    );
    const n = THRESHOLDS.length;
    return {
      threshold: THRESHOLDS,
      tokens_per_step: perStep(found),
      tokens_per_step_low: ends.low.slice(0, n),
      tokens_per_step_high: ends.high.slice(0, n),
      below_pct: below(found),
      below_pct_low: ends.low.slice(n),
      below_pct_high: ends.high.slice(n),
    };
  },
  derive: () => ({}),
  formulas: {},
  compare: (ours, paper) => [
    ...series(ours.threshold, (tau) => `tokens per step at ${tau}`, {
      unit: '',
      ours: ours.tokens_per_step,
      cases: { low: ours.tokens_per_step_low, high: ours.tokens_per_step_high },
      paper: paper.tokens_per_step,
      kind: FITTED,
    }),
    ...series(ours.threshold, (tau) => `committed below 0.9 at ${tau}`, {
      unit: '%',
      ours: ours.below_pct,
      cases: { low: ours.below_pct_low, high: ours.below_pct_high },
      paper: paper.below_pct,
      kind: FITTED,
    }),
    {
      name: 'tokens per step fall with the threshold',
      unit: 'rank corr.',
      kind: FITTED,
      ours: spearman(ours.threshold, ours.tokens_per_step),
      paper: spearman(paper.threshold, paper.tokens_per_step),
      band: FALLS,
      whenMissed: OTHER_MODEL,
    },
    {
      name: 'weak commits fall with the threshold',
      unit: 'rank corr.',
      kind: FITTED,
      ours: spearman(ours.threshold, ours.below_pct),
      paper: spearman(paper.threshold, paper.below_pct),
      band: FALLS,
      whenMissed: OTHER_MODEL,
    },
  ],
  notes: [
    FITTED_NOTE,
    'A step in which no position reaches the threshold commits the best one: weak commits never vanish.',
  ],
  figure: (ours, paper) => {
    const panel = (title: string, unit: string, column: 'tokens_per_step' | 'below_pct'): Panel => ({
      title,
      x: { title: 'commit threshold', zero: false, values: [0.5, 0.6, 0.7, 0.8, 0.9] },
      y: { title: unit },
      series: [
        {
          source: 'here',
          x: ours.threshold,
          y: ours[column],
          low: ours[`${column}_low`],
          high: ours[`${column}_high`],
        },
        { source: 'paper', mark: 'linked', x: paper.threshold, y: paper[column] },
      ],
    });
    return curves([
      panel('Tokens per step', 'tokens per step', 'tokens_per_step'),
      panel('Committed below 0.9', 'tokens committed below 0.9, %', 'below_pct'),
    ]);
  },
});
