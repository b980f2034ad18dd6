import { LLADA_CPP } from '../comparison/decodes.js';
import { DECIDED, type Experiment, numbersOf } from '../comparison/experiment.js';
import { alsoBecause, PAPER_WORKLOAD, WHO_DECIDED } from '../comparison/words.js';
import { curves } from '../figures/curves.js';
import { denoising, meanOf, variant } from '../lab/decode-statistics.js';

const TRIGGERS = [0, 1, 2, 3, 4, 5, 6, 7, 8];

/** 433 against 823 ms in the machine, 478 against 862 ms in the paper's Table 2. */
const SECOND_TILE =
  'A second tile costs almost as much as a step of its own, so lookahead pays only where it saves whole steps';

export const fig13a: Experiment = {
  name: 'fig13a',
  title: 'Lookahead trigger: latency of the full system',
  paper: 'fig13a',
  runs: 'policy llada.cpp with window.lookahead.trigger 0 to 8, timed on llada.cpp with SOMR; mean over prompts',
  workload: PAPER_WORKLOAD,
  stacks: ['llada.cpp'],
  measure: async (_, open) => {
    const decodes = await open();
    const columns = { seconds: [], forwards: [], drafts_accepted: [], rows_per_pass: [] } as Record<
      string,
      number[]
    >;
    for (const trigger of TRIGGERS) {
      const spec = variant('llada.cpp', { 'window.lookahead.trigger': trigger });
      const facts = await decodes.run(spec, LLADA_CPP);
      columns.seconds?.push(meanOf(facts.map(({ seconds }) => seconds ?? Number.NaN)));
      columns.forwards?.push(meanOf(facts.map(({ forwards }) => forwards)));
      columns.drafts_accepted?.push(meanOf(facts.map(({ draftsAccepted }) => draftsAccepted)));
      columns.rows_per_pass?.push(meanOf(denoising(facts).map(({ rows }) => rows)));
    }
    return { trigger: TRIGGERS, ...columns };
  },
  derived: {
    over_off: 'seconds[1] ./ seconds',
    paper_over_off: 'paper.seconds[1] ./ paper.seconds',
    best: 'at_min(seconds, trigger)',
    paper_best: 'at_min(paper.seconds, paper.trigger)',
  },
  rows: [
    {
      name: 'gain over trigger 0 at {label}',
      labels: 'trigger',
      unit: 'x',
      ours: 'over_off',
      paper: 'paper_over_off',
      kind: DECIDED,
    },
    {
      name: 'best trigger',
      unit: 'masks',
      ours: 'best',
      paper: 'paper_best',
      kind: DECIDED,
      band: { claim: 'T7', text: '3 to 6', pass: 'ours >= 3 and ours <= 6' },
      whenMissed: alsoBecause(SECOND_TILE),
    },
    {
      name: 'gain of the best trigger over 0',
      unit: '%',
      ours: '100 * (max(over_off) - 1)',
      paper: '100 * (max(paper_over_off) - 1)',
      kind: DECIDED,
      band: { claim: 'T7', text: '8 to 25 %', pass: 'ours >= 8 and ours <= 25' },
      whenMissed: alsoBecause(SECOND_TILE),
    },
  ],
  notes: [
    WHO_DECIDED,
    'The paper gives no latency allowance; here a pass may cost up to twice the pass without lookahead (one more tile).',
  ],
  figure: (columns, paper) =>
    curves([
      {
        title: 'Gain over no lookahead',
        x: { title: 'trigger: masks left in the block', values: TRIGGERS },
        y: { title: 'latency at trigger 0 / latency', zero: false },
        series: [
          { source: 'here', x: numbersOf(columns, 'trigger'), y: numbersOf(columns, 'over_off') },
          {
            source: 'paper',
            mark: 'linked',
            x: numbersOf(paper, 'trigger'),
            y: numbersOf(paper, 'seconds').map((s, _, all) =>
              s === null || all[0] == null ? null : all[0] / s,
            ),
          },
        ],
      },
    ]),
};
