import { rowsOf } from '../comparison/columns.js';
import { series } from '../comparison/compare.js';
import { defineStudy } from '../comparison/study.js';
import { DECIDED, PAPER_WORKLOAD, WHO_DECIDED } from '../comparison/words.js';
import { bars } from '../figures/bars.js';
import { endToEnd, speedUps } from './cells/end-to-end.js';

export const fig12 = defineStudy({
  name: 'fig12',
  title: 'The same with Dream-7B',
  paper: null,
  runs: 'the cells of fig11 with the shapes of Dream-7B, whatever the cost model',
  workload: PAPER_WORKLOAD,
  stacks: ['cpu', 'llada.cpp'],
  measure: (bench) => endToEnd(bench, 'dream-7b', () => null),
  derive: (cells) => speedUps(cells),
  formulas: { gain_cell: 'phone, data set, tokens', gain: 'seconds of cpu+kv / seconds of llada.cpp' },
  table: ({ soc, dataset, tokens, config, seconds, low, high, paper_s }) =>
    rowsOf({ soc, dataset, tokens, config, seconds, low, high, paper: paper_s }),
  compare: (ours) => [
    ...series(
      ours.soc.map((soc, i) => `${soc}, ${ours.dataset[i]}, ${ours.tokens[i]} tokens: ${ours.config[i]}`),
      (name) => name,
      { unit: 's', ours: ours.seconds, kind: DECIDED },
    ),
    ...series(ours.gain_cell, (name) => `${name}: llada.cpp over cpu+kv`, {
      unit: 'x',
      ours: ours.gain,
      kind: DECIDED,
    }),
  ],
  notes: [
    WHO_DECIDED,
    'The confidence process was fitted to LLaDA-8B; Dream-7B may be surer or less sure. Its logit shift changes no time.',
    "The paper's numbers of Dream-7B are not in this project.",
  ],
  figure: (ours) =>
    bars([
      {
        title: 'Dream-7B: llada.cpp over CPU + prefix KV',
        unit: 'times faster',
        names: ours.gain_cell,
        values: ours.gain,
      },
    ]),
});
