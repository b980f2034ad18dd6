import { bootstrap, drawn } from '../../src/score/statistics/bootstrap.js';
import { atMost } from '../comparison/bands.js';
import { series } from '../comparison/compare.js';
import { spearman } from '../comparison/statistics.js';
import { defineStudy } from '../comparison/study.js';
import { DECIDED, OTHER_MODEL, PAPER_WORKLOAD, WHO_DECIDED } from '../comparison/words.js';
import { curves, type Panel, type Series } from '../figures/curves.js';
import { inTurn, variant, visibleShare } from '../lab/decode-statistics.js';
import type { PaperTables } from '../paper/numbers.js';
import { paperTable } from '../paper/numbers.js';

const VISIBLE = [0.9, 0.8, 0.7, 0.6, 0.5];

/** Pairs of thresholds, one row of theta_visible after the other, theta_stable rising inside a row. */
type Grid = Pick<PaperTables['fig13b']['columns'], 'visible' | 'stable'>;

/** Cells whose share is smaller than that of the cell before, in the same row. */
function fallingInRow({ visible }: Grid, share: readonly number[]): number {
  return share.filter((value, i) => i > 0 && visible[i] === visible[i - 1] && value < share[i - 1]).length;
}

/** Cells whose neighbour with theta_visible 0.1 higher, at the same theta_stable, is larger. */
function inversions({ visible, stable }: Grid, share: readonly number[]): number {
  const larger = (i: number, j: number): boolean =>
    stable[i] === stable[j] && Math.abs(visible[i] - visible[j] - 0.1) < 0.01 && share[i] > share[j];
  return share.flatMap((_, j) => share.filter((_, i) => larger(i, j))).length;
}

/** One curve per theta_visible. */
function surface({ visible, stable }: Grid, share: readonly number[], source: Series['source']): Series[] {
  return VISIBLE.map((level) => ({
    source,
    mark: 'linked',
    label: String(level),
    x: stable.filter((_, i) => visible[i] === level),
    y: share.filter((_, i) => visible[i] === level),
  }));
}

export const fig13b = defineStudy({
  name: 'fig13b',
  title: 'Two thresholds: tokens not yet stable when their block ends',
  paper: 'fig13b',
  runs: "policy mbsd-sts (drafts fed as tokens) at the paper's pairs of thresholds; positions still visible when their block is complete",
  workload: PAPER_WORKLOAD,
  stacks: ['llada.cpp'],
  measure: async (bench, open) => {
    const decodes = await open();
    const { visible, stable } = paperTable('fig13b').columns;
    const found = await inTurn([...visible.entries()], ([i, level]) =>
      decodes.run(variant('mbsd-sts', { 'commit.visible': level, 'commit.stable': stable[i] })),
    );
    const { genLength } = bench.options;
    const shares = (of: typeof found): number[] => of.map((facts) => visibleShare(facts, genLength));
    const ends = bootstrap(
      found[0].length,
      (cases) => shares(found.map((facts) => drawn(facts, cases))),
      bench.options.seed,
    );
    return { visible, stable, below_stable_pct: shares(found), low_pct: ends.low, high_pct: ends.high };
  },
  derive: ({ below_stable_pct }, grid) => ({
    same_row: grid.visible.slice(1).map((level, i) => Number(level === grid.visible[i])),
    falling_in_row: fallingInRow(grid, below_stable_pct),
    paper_falling_in_row: fallingInRow(grid, grid.below_stable),
    inversions: inversions(grid, below_stable_pct),
    paper_inversions: inversions(grid, grid.below_stable),
  }),
  formulas: {
    same_row: 'whether a cell and the one before it have the same visible threshold',
    falling_in_row: 'cells below the one before it, in the same row',
    paper_falling_in_row: 'the same of the paper',
    inversions:
      'cells whose neighbour with a visible threshold 0.1 higher, at the same stable one, is larger',
    paper_inversions: 'the same of the paper',
  },
  compare: (ours, paper) => [
    ...series(
      ours.visible.map((level, i) => `${level} / ${ours.stable[i]}`),
      (pair) => `visible, stable ${pair}`,
      {
        unit: '%',
        ours: ours.below_stable_pct,
        cases: { low: ours.low_pct, high: ours.high_pct },
        kind: DECIDED,
        paper: paper.below_stable,
      },
    ),
    {
      name: 'falls with the stable threshold',
      unit: 'times',
      ours: ours.falling_in_row,
      paper: ours.paper_falling_in_row,
      kind: DECIDED,
      band: { claim: 'T16', text: 'never', holds: atMost(0) },
      whenMissed: OTHER_MODEL,
    },
    {
      name: 'rises with the visible threshold',
      unit: 'times',
      ours: ours.inversions,
      paper: ours.paper_inversions,
      kind: DECIDED,
      band: { claim: 'T16', text: 'at most once', holds: atMost(1) },
      whenMissed: OTHER_MODEL,
    },
    {
      name: 'rank correlation with the paper',
      unit: '',
      kind: DECIDED,
      ours: spearman(ours.below_stable_pct, paper.below_stable),
      paper: null,
    },
  ],
  notes: [WHO_DECIDED, 'The paper gives no unit: percent here, which it may or may not be there.'],
  figure: (ours, paper) => {
    const panel = (
      title: string,
      unit: string,
      source: Series['source'],
      share: readonly number[],
    ): Panel => ({
      title,
      x: { title: 'stable threshold', zero: false, values: [0.75, 0.85, 0.9, 0.95, 0.99] },
      y: { title: unit, reaches: [0, ...ours.below_stable_pct, ...paper.below_stable] },
      series: surface(paper, share, source),
    });
    return curves([
      panel('Here; lines: visible threshold', 'not stable at block end, %', 'here', ours.below_stable_pct),
      panel(
        'Paper; lines: visible threshold',
        'not stable at block end (unit not given)',
        'paper',
        paper.below_stable,
      ),
    ]);
  },
});
