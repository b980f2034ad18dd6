import type { PolicySpec } from '../../src/decode/spec.js';
import { caseIntervals, caseRatioIntervals } from '../comparison/case-intervals.js';
import { valueAt } from '../comparison/columns.js';
import { series } from '../comparison/compare.js';
import { LLADA_CPP } from '../comparison/decodes.js';
import { defineStudy } from '../comparison/study.js';
import { DECIDED, PAPER_WORKLOAD, WHO_DECIDED } from '../comparison/words.js';
import { bars } from '../figures/bars.js';
import {
  inTurn,
  meanDraftsAccepted,
  meanForwards,
  meanOf,
  meanRows,
  meanSeconds,
  secondsOf,
  variant,
} from '../lab/decode-statistics.js';

/** Blocks of 8 on tiles of 32: three quarters of every pass would be empty rows. */
const BLOCK = 8;
const APPROXIMATE = { blockLength: BLOCK, 'window.size': 32, 'window.lookahead': null };

/** The two commit rules, each without speculation, with the exact and with the approximate one. */
const PAIRS = [
  {
    rule: 'one per step',
    baseline: 'one per step, 8 rows',
    exact: 'exact, up to 32 rows',
    approximate: 'approximate MBSD, 32 rows',
  },
  {
    rule: 'threshold',
    baseline: 'threshold, 8 rows',
    exact: 'exact threshold, up to 32 rows',
    approximate: 'MBSD + threshold, 32 rows',
  },
] as const;
type VariantName = (typeof PAIRS)[number]['baseline' | 'exact' | 'approximate'];

const SPECS: Record<VariantName, () => PolicySpec> = {
  'one per step, 8 rows': () => variant('block-kv', { blockLength: BLOCK }),
  'exact, up to 32 rows': () => variant('exact-speculation'),
  'approximate MBSD, 32 rows': () => variant('mbsd', APPROXIMATE),
  'threshold, 8 rows': () => variant('threshold', { blockLength: BLOCK }),
  'exact threshold, up to 32 rows': () => variant('exact-speculation-threshold'),
  'MBSD + threshold, 32 rows': () => variant('mbsd', { ...APPROXIMATE, 'commit.kind': 'threshold' }),
};

const VARIANTS = PAIRS.flatMap(({ baseline, exact, approximate }) =>
  [baseline, exact, approximate].map((name) => ({ name, baseline })),
);

/** Two uses of the rows that a tile wastes: drafts that change the text, and drafts that cannot. */
export const speculation = defineStudy({
  name: 'speculation',
  title: 'Exact speculation against approximate MBSD at equal rows',
  paper: null,
  runs: 'blocks of 8 and at most 32 rows per pass, one tile; drafts of MBSD fed as tokens; llada.cpp with SOMR',
  workload: PAPER_WORKLOAD,
  stacks: ['llada.cpp'],
  measure: async (bench, open) => {
    const decodes = await open();
    const found = await inTurn(VARIANTS, ({ name }) => decodes.run(SPECS[name](), LLADA_CPP));
    const { seed } = bench.options;
    const ends = caseIntervals(found.map(secondsOf), meanOf, seed);
    const gains = caseRatioIntervals(
      found.map(secondsOf),
      VARIANTS.map(({ baseline }, i) => [VARIANTS.findIndex(({ name }) => name === baseline), i]),
      meanOf,
      seed,
    );
    return {
      variant: VARIANTS.map(({ name }) => name),
      seconds: found.map(meanSeconds),
      low_s: ends.low,
      high_s: ends.high,
      gain_low: gains.low,
      gain_high: gains.high,
      forwards: found.map(meanForwards),
      rows_per_pass: found.map(meanRows),
      drafts_accepted: found.map(meanDraftsAccepted),
    };
  },
  derive: ({ variant: names, seconds }) => {
    const of = (name: VariantName): number => valueAt(names, seconds, name);
    return {
      gain: VARIANTS.map(({ name, baseline }) => of(baseline) / of(name)),
      exact_over_approximate: PAIRS.map(({ exact, approximate }) => of(exact) / of(approximate)),
    };
  },
  formulas: {
    gain: 'seconds of the variant without speculation / seconds',
    exact_over_approximate: 'seconds of exact / of approximate speculation: one per step, threshold',
  },
  compare: (ours) => [
    ...series(ours.variant, (name) => name, {
      unit: 's',
      ours: ours.seconds,
      cases: { low: ours.low_s, high: ours.high_s },
      kind: DECIDED,
    }),
    ...series(ours.variant, (name) => `${name}: gain over no speculation`, {
      unit: 'x',
      ours: ours.gain,
      cases: { low: ours.gain_low, high: ours.gain_high },
      kind: DECIDED,
    }),
    ...series(ours.variant, (name) => `${name}: forwards`, { unit: '', ours: ours.forwards, kind: DECIDED }),
    ...series(
      PAIRS.map(({ rule }) => rule),
      (rule) => `exact over approximate, ${rule}`,
      { unit: 'x', ours: ours.exact_over_approximate, kind: DECIDED },
    ),
  ],
  notes: [
    WHO_DECIDED,
    'Exact speculation writes the very tokens of its baseline (`dllm-npu verify`); approximate MBSD accepts any draft at confidence 0.9 and writes others. How often drafts are right depends on who decides: the process calls a best token of confidence c the final one with probability c.',
  ],
  figure: (ours) =>
    bars([
      {
        title: 'One answer of {tokens} tokens',
        axis: 'seconds for one answer',
        names: ours.variant,
        values: ours.seconds,
        low: ours.low_s,
        high: ours.high_s,
      },
      {
        title: 'Gain over its baseline',
        axis: 'times faster',
        scale: 'ratio',
        names: ours.variant,
        values: ours.gain,
        low: ours.gain_low,
        high: ours.gain_high,
      },
    ]),
});
