import { rowsOf } from '../comparison/columns.js';
import { series } from '../comparison/compare.js';
import { defineStudy } from '../comparison/study.js';
import { DECIDED, PAPER_WORKLOAD, WHO_DECIDED } from '../comparison/words.js';
import { bars } from '../figures/bars.js';
import { fig11 } from './fig11.js';

/** The end of an interval of slow / fast: both sides are uncertain by themselves, so their ln add in quadrature. */
function end(ratio: number, slow: number, fast: number, sign: 1 | -1): number {
  return ratio * Math.exp(sign * Math.hypot(Math.log(slow), Math.log(fast)));
}

export const fig1 = defineStudy({
  name: 'fig1',
  title: 'The headline: the full system over CPU + prefix KV',
  paper: 'fig11',
  runs: 'the answers of fig11: seconds of CPU + prefix KV over seconds of llada.cpp, with an interval of the ratio',
  workload: PAPER_WORKLOAD,
  stacks: ['cpu', 'llada.cpp'],
  measure: async (bench, open) => {
    const cells = await fig11.measure(bench, open);
    const at = (i: number, config: string): number =>
      cells.config.findIndex(
        (name, k) =>
          name === config &&
          cells.soc[k] === cells.soc[i] &&
          cells.dataset[k] === cells.dataset[i] &&
          cells.tokens[k] === cells.tokens[i],
      );
    const pairs = cells.config.flatMap((name, i) => (name === 'llada.cpp' ? [[at(i, 'cpu+kv'), i]] : []));
    const speedup = pairs.map(([slow, fast]) => cells.seconds[slow] / cells.seconds[fast]);
    const of = (values: readonly number[], i: number): number => values[i] / cells.seconds[i];
    return {
      soc: pairs.map(([, i]) => cells.soc[i]),
      dataset: pairs.map(([, i]) => cells.dataset[i]),
      tokens: pairs.map(([, i]) => cells.tokens[i]),
      config: pairs.map(() => 'llada.cpp over cpu+kv'),
      speedup,
      low: pairs.map(([slow, fast], k) => end(speedup[k], of(cells.low, slow), of(cells.high, fast), -1)),
      high: pairs.map(([slow, fast], k) => end(speedup[k], of(cells.high, slow), of(cells.low, fast), 1)),
      paper_x: pairs.map(([slow, fast]) => {
        const [theirs, ours] = [cells.paper_s[slow], cells.paper_s[fast]];
        return theirs === null || ours === null ? null : theirs / ours;
      }),
    };
  },
  derive: () => ({}),
  formulas: {},
  table: ({ soc, dataset, tokens, config, speedup, low, high, paper_x }) =>
    rowsOf({ soc, dataset, tokens, config, speedup, low, high, paper: paper_x }),
  compare: (ours) =>
    series(
      ours.soc.map((soc, i) => `${soc}, ${ours.dataset[i]}, ${ours.tokens[i]} tokens`),
      (name) => name,
      { unit: 'x', ours: ours.speedup, kind: DECIDED },
    ).map((row, i) => ({ ...row, paper: ours.paper_x[i] })),
  notes: [WHO_DECIDED, ...fig11.notes.slice(1)],
  figure: (ours) =>
    bars([
      {
        title: 'llada.cpp over CPU + prefix KV',
        unit: 'times faster',
        names: ours.soc.map((soc, i) => `${soc}, ${ours.dataset[i]}, ${ours.tokens[i]}`),
        values: ours.speedup,
      },
    ]),
});
