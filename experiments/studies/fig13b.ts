import { type Columns, DECIDED, type Experiment, numbersOf } from '../comparison/experiment.js';
import { OTHER_MODEL, PAPER_WORKLOAD, WHO_DECIDED } from '../comparison/words.js';
import { curves, type Series } from '../figures/curves.js';
import { variant, visibleShare } from '../lab/decode-statistics.js';
import { paperTable } from '../paper/numbers.js';

const VISIBLE = [0.9, 0.8, 0.7, 0.6, 0.5];

/** One curve per theta_visible. */
function surface(columns: Columns, value: string, source: Series['source']): Series[] {
  const visible = numbersOf(columns, 'visible');
  const stable = numbersOf(columns, 'stable');
  const values = numbersOf(columns, value);
  return VISIBLE.map((level) => {
    const at = visible.flatMap((v, i) => (v === level ? [i] : []));
    return {
      source,
      mark: 'linked' as const,
      label: String(level),
      x: at.map((i) => stable[i] ?? null),
      y: at.map((i) => values[i] ?? null),
    };
  });
}

export const fig13b: Experiment = {
  name: 'fig13b',
  title: 'Two thresholds: tokens not yet stable when their block ends',
  paper: 'fig13b',
  runs: "policy mbsd-sts at the paper's pairs of thresholds; positions still visible when their block is complete",
  workload: PAPER_WORKLOAD,
  stacks: ['llada.cpp'],
  measure: async (bench, open) => {
    const decodes = await open();
    const { columns } = paperTable('fig13b');
    const visible = numbersOf(columns, 'visible');
    const stable = numbersOf(columns, 'stable');
    const below: number[] = [];
    for (const [i, level] of visible.entries()) {
      const spec = variant('mbsd-sts', { 'commit.visible': level, 'commit.stable': stable[i] });
      below.push(visibleShare(await decodes.run(spec), bench.options.genLength));
    }
    return { visible, stable, below_stable_pct: below };
  },
  derived: {
    // Neighbours in the table: one row of theta_visible after the other, theta_stable rising inside a row.
    same_row: 'visible[2:end] == visible[1:end-1]',
    falling_in_row: 'sum(same_row .* (below_stable_pct[2:end] < below_stable_pct[1:end-1]))',
    paper_falling_in_row: 'sum(same_row .* (paper.below_stable[2:end] < paper.below_stable[1:end-1]))',
    // Cells whose neighbour with theta_visible 0.1 higher, at the same theta_stable, is larger.
    inversions:
      'sum(map(1:size(visible)[1], f(j) = sum((stable == stable[j]) .* (abs(visible - visible[j] - 0.1) < 0.01) .* (below_stable_pct > below_stable_pct[j]))))',
    paper_inversions:
      'sum(map(1:size(visible)[1], f(j) = sum((stable == stable[j]) .* (abs(visible - visible[j] - 0.1) < 0.01) .* (paper.below_stable > paper.below_stable[j]))))',
  },
  rows: [
    {
      name: 'visible, stable {label}',
      unit: '%',
      ours: 'below_stable_pct',
      kind: DECIDED,
      labels: 'map(1:size(visible)[1], f(i) = concat(string(visible[i]), " / ", string(stable[i])))',
      paper: 'paper.below_stable',
    },
    {
      name: 'falls with the stable threshold',
      unit: 'times',
      ours: 'falling_in_row',
      paper: 'paper_falling_in_row',
      kind: DECIDED,
      band: { claim: 'T16', text: 'never', pass: 'ours == 0' },
      whenMissed: OTHER_MODEL,
    },
    {
      name: 'rises with the visible threshold',
      unit: 'times',
      ours: 'inversions',
      paper: 'paper_inversions',
      kind: DECIDED,
      band: { claim: 'T16', text: 'at most once', pass: 'ours <= 1' },
      whenMissed: OTHER_MODEL,
    },
    {
      name: 'rank correlation with the paper',
      unit: '',
      kind: DECIDED,
      ours: 'spearman(below_stable_pct, paper.below_stable)',
      paper: null,
    },
  ],
  notes: [WHO_DECIDED, 'The paper gives no unit: percent here, which it may or may not be there.'],
  figure: (columns, paper) => {
    const x = { title: 'stable threshold', zero: false, values: [0.75, 0.85, 0.9, 0.95, 0.99] };
    return curves([
      {
        title: 'here, by visible threshold',
        x,
        y: { title: 'not stable at block end, %' },
        series: surface(columns, 'below_stable_pct', 'here'),
      },
      {
        title: 'paper, by visible threshold',
        x,
        y: { title: 'not stable at block end (no unit)' },
        series: surface(paper, 'below_stable', 'paper'),
      },
    ]);
  },
};
