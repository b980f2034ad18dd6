import { rowsOf } from '../comparison/columns.js';
import { series } from '../comparison/compare.js';
import { defineStudy } from '../comparison/study.js';
import { DECIDED, PAPER_WORKLOAD, WHO_DECIDED } from '../comparison/words.js';
import { SPEED_UP_CONFIGS, SPEED_UP_FORMULAS, speedUpBars, speedUps } from './cells/end-to-end.js';
import { cellsOf, fig11 } from './fig11.js';

export const fig1 = defineStudy({
  name: 'fig1',
  title: 'The headline: the full system over CPU + prefix KV',
  paper: 'fig11',
  runs: 'the answers of fig11: seconds of CPU + prefix KV over seconds of llada.cpp, with an interval of the ratio',
  workload: PAPER_WORKLOAD,
  stacks: ['cpu', 'llada.cpp'],
  measure: (bench) => cellsOf(bench, SPEED_UP_CONFIGS),
  derive: (cells) => speedUps(cells),
  formulas: SPEED_UP_FORMULAS,
  table: (ours) => {
    const full = ours.config.flatMap((name, i) => (name === 'llada.cpp' ? [i] : []));
    return rowsOf({
      soc: full.map((i) => ours.soc[i]),
      dataset: full.map((i) => ours.dataset[i]),
      tokens: full.map((i) => ours.tokens[i]),
      config: full.map(() => 'llada.cpp over cpu+kv'),
      speedup: ours.gain,
      low: ours.gain_low,
      high: ours.gain_high,
      paper: ours.paper_gain,
    });
  },
  compare: (ours) =>
    series(ours.gain_cell, (name) => name, { unit: 'x', ours: ours.gain, kind: DECIDED }).map((row, i) => ({
      ...row,
      paper: ours.paper_gain[i],
    })),
  notes: [
    WHO_DECIDED,
    ...fig11.notes.slice(1),
    'What Figure 1 of the paper shows is not in this project: this is its headline claim.',
  ],
  figure: (ours) => speedUpBars('llada.cpp over CPU + prefix KV', ours),
});
