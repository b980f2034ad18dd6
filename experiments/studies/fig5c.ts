import { defineStudy } from '../comparison/study.js';
import { DECIDED, PAPER_WORKLOAD, WHO_DECIDED } from '../comparison/words.js';
import { curves, type Panel } from '../figures/curves.js';
import { meanOf, skippableShare, variant } from '../lab/decode-statistics.js';

export const fig5c = defineStudy({
  name: 'fig5c',
  title: 'Decisions that can be skipped: rows whose token is final',
  paper: 'fig5c',
  runs: 'policies mbsd-sts (sliding window, drafts fed as tokens) and sts (whole block); rows of denoising passes that are stable already',
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
  derive: () => ({}),
  formulas: {},
  compare: ({ block_pct, sliding_pct }, { skippable_pct }) => {
    const row = (name: string, shares: readonly number[], of: (shares: readonly number[]) => number) => ({
      name,
      unit: '%',
      ours: of(shares),
      paper: of(skippable_pct),
      kind: DECIDED,
    });
    return [
      row('whole block, mean over cases', block_pct, meanOf),
      row('whole block, smallest', block_pct, (shares) => Math.min(...shares)),
      row('whole block, largest', block_pct, (shares) => Math.max(...shares)),
      row('sliding window, mean over cases', sliding_pct, meanOf),
    ];
  },
  notes: [
    WHO_DECIDED,
    'The paper does not say which window the figure was taken under: a sliding window leaves final rows behind, so less is left to skip.',
  ],
  figure: (ours, paper) => {
    const panel = (title: string, shares: readonly number[]): Panel => ({
      title,
      x: { title: 'case, ordered by its share', values: [1, 5, 10, 15, 20] },
      y: { title: 'skippable decisions, %' },
      series: [
        { source: 'here', mark: 'points', x: ours.case, y: shares },
        { source: 'paper', x: paper.case, y: paper.skippable_pct },
      ],
    });
    return curves([panel('Whole block', ours.block_pct), panel('Sliding window', ours.sliding_pct)]);
  },
});
