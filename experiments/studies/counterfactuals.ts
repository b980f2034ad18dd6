import type { PolicySpec } from '../../src/decode/spec.js';
import { atMost } from '../comparison/bands.js';
import { caseIntervals, caseRatioIntervals } from '../comparison/case-intervals.js';
import { valueAt } from '../comparison/columns.js';
import { endsAt, series } from '../comparison/compare.js';
import { LLADA_CPP } from '../comparison/decodes.js';
import { defineStudy } from '../comparison/study.js';
import { DECIDED, PAPER_WORKLOAD, WHO_DECIDED } from '../comparison/words.js';
import { bars } from '../figures/bars.js';
import { inTurn, meanForwards, meanOf, meanSeconds, secondsOf, variant } from '../lab/decode-statistics.js';
import { paperTable, table6Seconds } from '../paper/numbers.js';
import { FULL_SYSTEM } from './ladder/ladder.js';

/** Rows that Table 6 does not have, from the full system to none of its decoding techniques. */
const VARIANTS: readonly (readonly [name: string, spec: () => PolicySpec])[] = [
  ['full system', () => variant(FULL_SYSTEM)],
  ['full system, no lookahead', () => variant(FULL_SYSTEM, { 'window.lookahead': null })],
  ['STS + SLS, no MBSD, no SCR', () => variant('sts', { logits: 'active' })],
  ['threshold 0.9 + SLS', () => variant('threshold', { logits: 'active' })],
  ['threshold 0.9', () => variant('threshold')],
  ['one token per step', () => variant('block-kv')],
];

const TRIGGERS = [0, 2, 4, 8];
/** Extra time of a pass over the pass without lookahead: nothing, one more tile, two more tiles. */
const ALLOWANCES = [0, 1, 2];
const SWEEP = ALLOWANCES.flatMap((allowance) => TRIGGERS.map((trigger) => ({ allowance, trigger })));

/** No lookahead. */
const OFF = SWEEP.findIndex(({ allowance, trigger }) => allowance === 0 && trigger === 0);
const FULL = VARIANTS.findIndex(([name]) => name === 'full system');

export const counterfactuals = defineStudy({
  name: 'counterfactuals',
  title: 'What the paper does not compare: one plain threshold, and lookahead by trigger and allowance',
  paper: null,
  runs: 'each policy timed on llada.cpp with SOMR; mean over prompts',
  workload: PAPER_WORKLOAD,
  stacks: ['llada.cpp'],
  measure: async (bench, open) => {
    const decodes = await open();
    const { threshold, tokens_per_step } = paperTable('fig5b').columns;
    const found = await inTurn(VARIANTS, ([, spec]) => decodes.run(spec(), LLADA_CPP));
    const swept = await inTurn(SWEEP, ({ allowance, trigger }) =>
      decodes.run(
        variant(FULL_SYSTEM, {
          'window.lookahead.trigger': trigger,
          'window.lookahead.allowanceRatio': allowance,
          'window.lookahead.maxRows': 32 * Math.max(1, allowance),
        }),
        LLADA_CPP,
      ),
    );
    const { seed } = bench.options;
    const ends = caseIntervals(found.map(secondsOf), meanOf, seed);
    const overFull = caseRatioIntervals(
      found.map(secondsOf),
      VARIANTS.map((_, i) => [i, FULL]),
      meanOf,
      seed,
    );
    const gains = caseRatioIntervals(
      swept.map(secondsOf),
      SWEEP.map((_, i) => [OFF, i]),
      meanOf,
      seed,
    );
    return {
      policy: VARIANTS.map(([name]) => name),
      seconds: found.map(meanSeconds),
      low_s: ends.low,
      high_s: ends.high,
      over_full_low: overFull.low,
      over_full_high: overFull.high,
      forwards: found.map(meanForwards),
      allowance: SWEEP.map((each) => each.allowance),
      trigger: SWEEP.map((each) => each.trigger),
      sweep_s: swept.map(meanSeconds),
      sweep_gain_low: gains.low,
      sweep_gain_high: gains.high,
      paper_full_s: table6Seconds('+SCR'),
      paper_step_s: table6Seconds('+SOMR') / 128,
      paper_tokens_per_step: valueAt(threshold, tokens_per_step, 0.9),
    };
  },
  derive: (ours) => {
    const full = valueAt(ours.policy, ours.seconds, 'full system');
    const none = ours.sweep_s[OFF];
    return {
      // The paper's own figures: forwards at one threshold of 0.9, at the price of a step with SOMR.
      paper_threshold_s: Math.ceil(128 / ours.paper_tokens_per_step) * ours.paper_step_s,
      over_full: ours.seconds.map((seconds) => seconds / full),
      no_lookahead_s: none,
      sweep_gain: ours.sweep_s.map((seconds) => none / seconds),
      sweep_label: SWEEP.map(({ allowance, trigger }) => `allowance ${allowance}, trigger ${trigger}`),
    };
  },
  formulas: {
    paper_threshold_s: '(128 / paper_tokens_per_step, rounded up) * paper_step_s',
    over_full: 'seconds / seconds of the full system',
    no_lookahead_s: 'sweep_s at allowance 0 and trigger 0',
    sweep_gain: 'no_lookahead_s / sweep_s',
    sweep_label: 'allowance and trigger',
  },
  compare: (ours) => {
    const paper = ours.paper_threshold_s / ours.paper_full_s;
    const overFull = (name: string) =>
      endsAt({ low: ours.over_full_low, high: ours.over_full_high }, ours.policy.indexOf(name));
    return [
      ...series(ours.policy, (name) => name, {
        unit: 's',
        ours: ours.seconds,
        cases: { low: ours.low_s, high: ours.high_s },
        kind: DECIDED,
      }),
      {
        name: 'threshold 0.9 over full system',
        unit: 'x',
        ours: valueAt(ours.policy, ours.over_full, 'threshold 0.9'),
        cases: overFull('threshold 0.9'),
        paper,
        kind: DECIDED,
        band: { claim: 'T27', text: 'at most 1', holds: atMost(1) },
        whenMissed:
          'the model decides more per step under two thresholds, scores fewer rows (SLS), and needs no pass to seal a block',
      },
      {
        name: 'threshold 0.9 + SLS over full system',
        unit: 'x',
        ours: valueAt(ours.policy, ours.over_full, 'threshold 0.9 + SLS'),
        cases: overFull('threshold 0.9 + SLS'),
        paper,
        kind: DECIDED,
      },
      ...series(ours.sweep_label, (setting) => `${setting}: gain`, {
        unit: 'x',
        ours: ours.sweep_gain,
        cases: { low: ours.sweep_gain_low, high: ours.sweep_gain_high },
        kind: DECIDED,
      }),
    ];
  },
  notes: [
    WHO_DECIDED,
    'What the rows do to the answers is not measured here (`dllm-npu quality`, `dllm-npu tune`).',
    "The paper's column combines its own figures: 128 tokens at 4.9 per step (Figure 5b), 0.559 s per step (Table 6, + SOMR). It measured no such row.",
    'With blocks, tiles and windows of 32 rows an allowance below the price of a second tile switches lookahead off, whatever the trigger.',
  ],
  figure: (ours) =>
    bars([
      {
        title: 'One answer of {tokens} tokens',
        axis: 'seconds for one answer',
        names: ours.policy,
        values: ours.seconds,
        low: ours.low_s,
        high: ours.high_s,
      },
      {
        title: 'Lookahead: gain over none',
        axis: 'seconds without / seconds with lookahead',
        scale: 'ratio',
        names: SWEEP.map(({ allowance, trigger }) => `+${allowance} tiles, trigger ${trigger}`),
        values: ours.sweep_gain,
        low: ours.sweep_gain_low,
        high: ours.sweep_gain_high,
      },
    ]),
});
