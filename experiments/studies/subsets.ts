import { bootstrap, drawn } from '../../src/score/statistics/bootstrap.js';
import { median } from '../../src/score/statistics/samples.js';
import { series } from '../comparison/compare.js';
import { defineStudy } from '../comparison/study.js';
import { DECIDED, PAPER_WORKLOAD, WHO_DECIDED } from '../comparison/words.js';
import { bars } from '../figures/bars.js';
import { inTurn, meanForwards, secondsOf, variant } from '../lab/decode-statistics.js';
import { table6Seconds } from '../paper/numbers.js';
import { shapley } from './shapley.js';

/** In the order in which Table 6 adds them. */
const TECHNIQUES = ['SOMR', 'MBSD', 'STS', 'SLS', 'SCR'] as const;
type Technique = (typeof TECHNIQUES)[number];

/** A subset is a bit mask of the techniques. */
const MASKS = Array.from({ length: 1 << TECHNIQUES.length }, (_, mask) => mask);
const NONE = 0;
const ALL_FIVE = MASKS.length - 1;

function has(mask: number, technique: Technique): boolean {
  return (mask & (1 << TECHNIQUES.indexOf(technique))) !== 0;
}

function nameOf(mask: number): string {
  const chosen = TECHNIQUES.filter((technique) => has(mask, technique));
  return chosen.length === 0 ? 'none' : chosen.join(' + ');
}

/** Logarithm of the speed-up of every subset over none. */
function worthOf(seconds: readonly number[]): number[] {
  return seconds.map((each) => Math.log(seconds[NONE] / each));
}

/** NPU + prefix KV with some of the five techniques. */
function specOf(mask: number) {
  const base = variant(has(mask, 'MBSD') ? 'mbsd-drafts-masked' : 'block-kv');
  return variant(has(mask, 'MBSD') ? 'mbsd-drafts-masked' : 'block-kv', {
    'commit.kind': has(mask, 'STS') ? 'staged' : base.commit.kind,
    logits: has(mask, 'SLS') ? 'active' : 'all',
    // A refresh works on visible tokens, which only staging makes: without it there is nothing to refresh.
    ...(has(mask, 'SCR') && has(mask, 'STS') ? { 'refresh.kind': 'cpu' } : {}),
  });
}

export const subsets = defineStudy({
  name: 'subsets',
  title: 'Every subset of the five techniques, and who deserves the speed-up',
  paper: null,
  runs: 'NPU + prefix KV with each of the 32 subsets of SOMR, MBSD, STS, SLS and SCR; medians over the cases of table6',
  workload: PAPER_WORKLOAD,
  stacks: ['llada.cpp'],
  measure: async (bench, open) => {
    const decodes = await open();
    const found = await inTurn(MASKS, (mask) =>
      decodes.run(specOf(mask), {
        stack: 'llada.cpp',
        memory: has(mask, 'SOMR') ? 'somr' : 'on-demand',
      }),
    );
    const samples = found.map(secondsOf);
    const seconds = samples.map(median);
    const worth = worthOf(seconds);
    const single = TECHNIQUES.map((_, i) => worth[1 << i]);
    const n = TECHNIQUES.length;
    const ends = bootstrap(
      samples[0].length,
      (cases) => {
        const again = worthOf(samples.map((each) => median(drawn(each, cases))));
        const fair = shapley(n, again);
        const sum = fair.reduce((total, value) => total + value, 0);
        return [
          ...fair.map((value) => (100 * value) / sum),
          ...TECHNIQUES.map((_, i) => Math.exp(again[1 << i])),
          Math.exp(again[ALL_FIVE]),
        ];
      },
      bench.options.seed,
    );
    const pairs = TECHNIQUES.flatMap((a, i) =>
      TECHNIQUES.slice(i + 1).map((b, j) => ({ i, k: i + 1 + j, name: `${a} with ${b}` })),
    );
    return {
      subset: MASKS.map(nameOf),
      seconds,
      forwards: found.map(meanForwards),
      technique: [...TECHNIQUES],
      shapley_log: shapley(TECHNIQUES.length, worth),
      alone_log: single,
      share_low_pct: ends.low.slice(0, n),
      share_high_pct: ends.high.slice(0, n),
      alone_low_x: ends.low.slice(n, 2 * n),
      alone_high_x: ends.high.slice(n, 2 * n),
      total_low: ends.low[2 * n],
      total_high: ends.high[2 * n],
      pair: pairs.map(({ name }) => name),
      interaction_log: pairs.map(({ i, k }) => worth[(1 << i) | (1 << k)] - single[i] - single[k]),
    };
  },
  derive: ({ seconds, shapley_log, alone_log, interaction_log }) => {
    const speedup = seconds.map((each) => seconds[NONE] / each);
    const sum = shapley_log.reduce((total, value) => total + value, 0);
    return {
      speedup,
      total: speedup[ALL_FIVE],
      share_pct: shapley_log.map((value) => (100 * value) / sum),
      shapley_x: shapley_log.map(Math.exp),
      alone_x: alone_log.map(Math.exp),
      interaction_x: interaction_log.map(Math.exp),
    };
  },
  formulas: {
    speedup: 'seconds of no technique / seconds',
    total: 'speedup of all five',
    share_pct: '100 * shapley_log / sum of shapley_log',
    shapley_x: 'exp(shapley_log)',
    alone_x: 'exp(alone_log)',
    interaction_x: 'exp(interaction_log)',
  },
  compare: (ours) => [
    ...series(ours.subset, (subset) => subset, { unit: 's', ours: ours.seconds, kind: DECIDED }),
    {
      name: 'all five over none',
      unit: 'x',
      ours: ours.total,
      cases: { low: ours.total_low, high: ours.total_high },
      paper: table6Seconds('NPU+prefixKV') / table6Seconds('+SCR'),
      kind: DECIDED,
    },
    ...series(ours.technique, (name) => `${name}: Shapley share of the speed-up`, {
      unit: '%',
      ours: ours.share_pct,
      cases: { low: ours.share_low_pct, high: ours.share_high_pct },
      kind: DECIDED,
    }),
    ...series(ours.technique, (name) => `${name}: Shapley factor`, {
      unit: 'x',
      ours: ours.shapley_x,
      kind: DECIDED,
    }),
    ...series(ours.technique, (name) => `${name} alone`, {
      unit: 'x',
      ours: ours.alone_x,
      cases: { low: ours.alone_low_x, high: ours.alone_high_x },
      kind: DECIDED,
    }),
    ...series(ours.pair, (pair) => `${pair}: together over product of both alone`, {
      unit: 'x',
      ours: ours.interaction_x,
      kind: DECIDED,
    }),
  ],
  notes: [
    WHO_DECIDED,
    'Worth of a subset: the logarithm of its speed-up over none. Shapley shares average the marginal gain over all 120 orders of adding the techniques; Table 6 shows one order.',
    'SCR without STS has nothing to refresh and is timed as without it. SCR is there for quality, not speed: a share near or below zero is its price.',
  ],
  figure: (ours) =>
    bars([
      {
        title: 'Shapley share of the speed-up',
        axis: 'share of the logarithm of the speed-up, %',
        names: ours.technique,
        values: ours.share_pct,
        low: ours.share_low_pct,
        high: ours.share_high_pct,
      },
      {
        title: 'Alone, over NPU + prefix KV',
        axis: 'times faster',
        scale: 'ratio',
        names: ours.technique,
        values: ours.alone_x,
        low: ours.alone_low_x,
        high: ours.alone_high_x,
      },
    ]),
});
