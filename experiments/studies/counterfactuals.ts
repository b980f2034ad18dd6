import type { PolicySpec } from '../../src/decode/spec.js';
import { LLADA_CPP } from '../comparison/decodes.js';
import { DECIDED, type Experiment, numbersOf } from '../comparison/experiment.js';
import { PAPER_WORKLOAD, WHO_DECIDED } from '../comparison/words.js';
import { type BarPanel, bars } from '../figures/bars.js';
import { meanOf, variant } from '../lab/decode-statistics.js';
import { paperTable } from '../paper/numbers.js';

/** Rows that Table 6 does not have, from the full system to none of its decoding techniques. */
const VARIANTS: readonly (readonly [name: string, spec: () => PolicySpec])[] = [
  ['full system', () => variant('llada.cpp')],
  ['full system, no lookahead', () => variant('llada.cpp', { 'window.lookahead': null })],
  ['STS + SLS, no MBSD, no SCR', () => variant('sts', { logits: 'active' })],
  ['threshold 0.9 + SLS', () => variant('threshold', { logits: 'active' })],
  ['threshold 0.9', () => variant('threshold')],
  ['one token per step', () => variant('block-kv')],
];

const TRIGGERS = [0, 2, 4, 8];
/** Extra time of a pass over the pass without lookahead: nothing, one more tile, two more tiles. */
const ALLOWANCES = [0, 1, 2];
const SWEEP = ALLOWANCES.flatMap((allowance) => TRIGGERS.map((trigger) => ({ allowance, trigger })));

export const counterfactuals: Experiment = {
  name: 'counterfactuals',
  title: 'What the paper does not compare: one plain threshold, and lookahead by trigger and allowance',
  paper: null,
  runs: 'each policy timed on llada.cpp with SOMR; mean over prompts',
  workload: PAPER_WORKLOAD,
  stacks: ['llada.cpp'],
  measure: async (_, open) => {
    const decodes = await open();
    const table6 = numbersOf(paperTable('table6').columns, 'seconds');
    const fig5b = paperTable('fig5b').columns;
    const at09 = numbersOf(fig5b, 'threshold').indexOf(0.9);
    const seconds: number[] = [];
    const forwards: number[] = [];
    for (const [, spec] of VARIANTS) {
      const facts = await decodes.run(spec(), LLADA_CPP);
      seconds.push(meanOf(facts.map((each) => each.seconds ?? Number.NaN)));
      forwards.push(meanOf(facts.map((each) => each.forwards)));
    }
    const sweep: number[] = [];
    for (const { allowance, trigger } of SWEEP) {
      const spec = variant('llada.cpp', {
        'window.lookahead.trigger': trigger,
        'window.lookahead.allowanceRatio': allowance,
        'window.lookahead.maxRows': 32 * Math.max(1, allowance),
      });
      sweep.push(meanOf((await decodes.run(spec, LLADA_CPP)).map((each) => each.seconds ?? Number.NaN)));
    }
    return {
      policy: VARIANTS.map(([name]) => name),
      seconds,
      forwards,
      allowance: SWEEP.map((each) => each.allowance),
      trigger: SWEEP.map((each) => each.trigger),
      sweep_s: sweep,
      paper_full_s: [table6.at(8) ?? null],
      paper_step_s: [(table6.at(4) ?? Number.NaN) / 128],
      paper_tokens_per_step: [numbersOf(fig5b, 'tokens_per_step').at(at09) ?? null],
    };
  },
  derived: {
    // The paper's own figures: forwards at one threshold of 0.9, at the price of a step with SOMR.
    paper_threshold_s: 'ceil(128 / paper_tokens_per_step[1]) * paper_step_s[1]',
    over_full: 'seconds ./ seconds[1]',
    no_lookahead_s: 'sweep_s[1]',
    sweep_gain: 'no_lookahead_s ./ sweep_s',
    sweep_label:
      'map(1:size(trigger)[1], f(i) = concat("allowance ", string(allowance[i]), ", trigger ", string(trigger[i])))',
  },
  rows: [
    { name: '{label}', labels: 'policy', unit: 's', ours: 'seconds', paper: null, kind: DECIDED },
    {
      name: 'threshold 0.9 over full system',
      unit: 'x',
      ours: 'over_full[5]',
      paper: 'paper_threshold_s / paper_full_s[1]',
      kind: DECIDED,
      band: { claim: 'T27', text: 'at most 1', pass: 'ours <= 1' },
      whenMissed:
        'the model decides more per step under two thresholds, scores fewer rows (SLS), and needs no pass to seal a block',
    },
    {
      name: 'threshold 0.9 + SLS over full system',
      unit: 'x',
      ours: 'over_full[4]',
      paper: 'paper_threshold_s / paper_full_s[1]',
      kind: DECIDED,
    },
    {
      name: '{label}: gain',
      labels: 'sweep_label',
      unit: 'x',
      ours: 'sweep_gain',
      paper: null,
      kind: DECIDED,
    },
  ],
  notes: [
    WHO_DECIDED,
    'What the rows do to the answers is not measured here (`dllm-npu quality`, `dllm-npu tune`).',
    "The paper's column combines its own figures: 128 tokens at 4.9 per step (Figure 5b), 0.559 s per step (Table 6, + SOMR). It measured no such row.",
    'With blocks, tiles and windows of 32 rows an allowance below the price of a second tile switches lookahead off, whatever the trigger.',
  ],
  figure: (columns) => {
    const gain = numbersOf(columns, 'sweep_gain');
    const panels: BarPanel[] = [
      {
        title: 'One answer of 128 tokens',
        unit: 'seconds',
        names: (columns.policy ?? []).map(String),
        values: numbersOf(columns, 'seconds'),
      },
      {
        title: 'Lookahead: gain over none',
        unit: 'seconds without / seconds with',
        names: SWEEP.map(({ allowance, trigger }) => `+${allowance} tiles, trigger ${trigger}`),
        values: gain,
      },
    ];
    return bars(panels);
  },
};
