import { defineStudy } from '../comparison/study.js';
import { PAPER_WORKLOAD, WHO_DECIDED } from '../comparison/words.js';
import {
  cellRows,
  cellTable,
  endToEnd,
  SPEED_UP_FORMULAS,
  speedUpBars,
  speedUps,
} from './cells/end-to-end.js';

export const fig12 = defineStudy({
  name: 'fig12',
  title: 'The same with Dream-7B',
  paper: null,
  runs: 'the cells of fig11 with the shapes of Dream-7B, whatever the cost model',
  workload: PAPER_WORKLOAD,
  stacks: ['cpu', 'llada.cpp'],
  measure: (bench) => endToEnd(bench, 'dream-7b', () => null),
  derive: (cells) => speedUps(cells),
  formulas: SPEED_UP_FORMULAS,
  table: cellTable,
  compare: cellRows,
  notes: [
    WHO_DECIDED,
    'The confidence process was fitted to LLaDA-8B; Dream-7B may be surer or less sure. Its logit shift changes no time.',
    "The paper's numbers of Dream-7B are not in this project.",
  ],
  figure: (ours) => speedUpBars('Dream-7B: llada.cpp over CPU + prefix KV', ours),
});
