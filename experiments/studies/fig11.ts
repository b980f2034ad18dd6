import { defineStudy } from '../comparison/study.js';
import { PAPER_WORKLOAD, WHO_DECIDED } from '../comparison/words.js';
import type { Workbench } from '../comparison/workbench.js';
import { paperTable } from '../paper/numbers.js';
import {
  cellRows,
  cellTable,
  endToEnd,
  type PublishedSeconds,
  SPEED_UP_FORMULAS,
  speedUpBars,
  speedUps,
} from './cells/end-to-end.js';

const CELL_NOTES = [
  'Intervals: the middle 80 % of 8 draws over every number of chip and stack that has a range, measured ones included, each with the whole range of lengths of the prompt, spread by the form of the model, assumed: exp(+-0.2) for llada.cpp, exp(+-0.35) for CPU kernels, more for one token a pass. For llada.cpp both readings of its drafts are in it, and a spread of the number of passes, exp(+-0.6), that was set with the one known cell in view (Table 6).',
  'The speed of the head is one of the drawn numbers, so both settings that fit Table 2 are in the intervals.',
  'Prompt lengths are assumed for all data sets but GSM8K (open parameter 23), and all data sets are decided by the same confidence process: what differs between them here is the length of the prompt.',
];

/** The cells of the figure beside what is known of the paper's. @param configs as `endToEnd` */
export function cellsOf(bench: Workbench, configs?: readonly string[]) {
  const { config, tokens, seconds } = paperTable('fig11').columns;
  const { costModel, quant } = bench.options;
  // Only GSM8K on SM8750 is in this project; its numbers are of LLaDA-8B in Q4_0.
  const same = costModel === 'llada-8b' && quant === 'q4_0';
  const published: PublishedSeconds = (soc, dataset, length, name) => {
    if (!same || soc !== 'SM8750' || dataset !== 'GSM8K') return null;
    return seconds[config.findIndex((each, i) => each === name && tokens[i] === length)] ?? null;
  };
  return endToEnd(bench, costModel, published, configs);
}

export const fig11 = defineStudy({
  name: 'fig11',
  title: 'One answer end to end: three phones, four data sets, 32 to 128 tokens',
  paper: 'fig11',
  runs: 'one answer of each length by CPU, CPU + prefix KV, NPU, the full system, and by Llama-3-8B one token a pass on CPU and NPU',
  workload: PAPER_WORKLOAD,
  stacks: ['cpu', 'llada.cpp'],
  measure: (bench) => cellsOf(bench),
  derive: (cells) => speedUps(cells),
  formulas: SPEED_UP_FORMULAS,
  table: cellTable,
  compare: cellRows,
  notes: [WHO_DECIDED, ...CELL_NOTES, 'On SM8850 attention runs on the CPU, as in the paper (Table 3).'],
  figure: (ours) => speedUpBars('llada.cpp over CPU + prefix KV', ours),
});
