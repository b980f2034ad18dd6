import { rowsOf } from '../comparison/columns.js';
import { series } from '../comparison/compare.js';
import { defineStudy } from '../comparison/study.js';
import { DECIDED, PAPER_WORKLOAD, WHO_DECIDED } from '../comparison/words.js';
import { bars } from '../figures/bars.js';
import { inTurn } from '../lab/decode-statistics.js';
import { DATA_SETS } from './cells/data-sets.js';
import { predictAnswers } from './cells/predict.js';
import { socNumber } from './cells/soc.js';
import { LADDER } from './ladder/ladder.js';

const [GSM8K] = DATA_SETS;

/** Rows that commit as many tokens a step as the decider is sure of. */
const DECIDED_ROWS = new Set(['+ MBSD', '+ STS', '+ SLS', '+ SCR']);

export const fig14 = defineStudy({
  name: 'fig14',
  title: 'Energy and power of the rows of the ladder',
  paper: null,
  runs: 'one answer per draw under each row of the ladder; energy above idle',
  workload: PAPER_WORKLOAD,
  stacks: ['cpu', 'llada.cpp'],
  measure: async (bench) => {
    const { costModel, profile, genLength } = bench.options;
    const { promptTokens, range: promptRange } = GSM8K;
    const found = await inTurn(LADDER, async ({ name, policy, stack, memory }) => {
      const method = { policy, stack, memory: [memory], costModel, decided: DECIDED_ROWS.has(name) } as const;
      const [answer] = await predictAnswers(bench, method, profile, [
        { genLength, promptTokens, promptRange },
      ]);
      return answer;
    });
    return {
      soc: LADDER.map(() => socNumber(bench.hardware)),
      tokens: LADDER.map(() => genLength),
      row: LADDER.map(({ name }) => name),
      seconds: found.map(({ seconds }) => seconds.value),
      joules: found.map(({ joules }) => joules.value),
      joules_low: found.map(({ joules }) => joules.low),
      joules_high: found.map(({ joules }) => joules.high),
      watts: found.map(({ watts }) => watts.value),
      watts_low: found.map(({ watts }) => watts.low),
      watts_high: found.map(({ watts }) => watts.high),
    };
  },
  derive: ({ row, joules }) => {
    const cpuKv = joules[row.indexOf('CPU + prefix KV')];
    return { of_cpu_kv: joules.map((each) => each / cpuKv) };
  },
  formulas: { of_cpu_kv: 'joules / joules of CPU + prefix KV' },
  table: (ours) =>
    rowsOf({
      soc: ours.soc,
      dataset: ours.row.map(() => GSM8K.name),
      tokens: ours.tokens,
      config: ours.row,
      seconds: ours.seconds,
      joules: ours.joules,
      low: ours.joules_low,
      high: ours.joules_high,
      watts: ours.watts,
      wattsLow: ours.watts_low,
      wattsHigh: ours.watts_high,
      paper: ours.row.map(() => null),
    }),
  compare: (ours) => [
    ...series(ours.row, (row) => `${row}: energy`, { unit: 'J', ours: ours.joules, kind: DECIDED }),
    ...series(ours.row, (row) => `${row}: power`, { unit: 'W', ours: ours.watts, kind: DECIDED }),
    ...series(ours.row, (row) => `${row}: energy over CPU + prefix KV`, {
      unit: 'x',
      ours: ours.of_cpu_kv,
      kind: DECIDED,
    }),
  ],
  notes: [
    WHO_DECIDED,
    'No energy figure of a component of these chips was published: every number behind joules is assumed, and intervals span a factor of several. Ratios between rows are surer than the rows.',
    "The paper's energy is not in this project, and its CPU energy does not fit its own latency.",
  ],
  figure: (ours) =>
    bars([
      {
        title: 'Energy of one answer',
        axis: 'joules above idle',
        scale: 'log',
        names: ours.row,
        values: ours.joules,
        low: ours.joules_low,
        high: ours.joules_high,
      },
      {
        title: 'Mean power',
        axis: 'watts above idle',
        names: ours.row,
        values: ours.watts,
        low: ours.watts_low,
        high: ours.watts_high,
      },
    ]),
});
