import { caseRatioIntervals } from '../comparison/case-intervals.js';
import { ratios } from '../comparison/columns.js';
import { series } from '../comparison/compare.js';
import { LLADA_CPP } from '../comparison/decodes.js';
import { defineStudy } from '../comparison/study.js';
import { DECIDED, PAPER_WORKLOAD, WHO_DECIDED } from '../comparison/words.js';
import { bars } from '../figures/bars.js';
import { inTurn, meanForwards, meanOf, meanSeconds, secondsOf, variant } from '../lab/decode-statistics.js';
import { FULL_SYSTEM } from './ladder/ladder.js';

const CASES = 4;
const TILES = [16, 32, 64];
const BLOCKS = [16, 32, 64];
const ALLOWANCES = [0, 0.5, 1];
const TRIGGERS = [4, 8];

/** No lookahead. */
const OFF = { allowance: 0, trigger: 0 };

const GRID = TILES.flatMap((tile) =>
  BLOCKS.flatMap((block) => [
    { tile, block, ...OFF },
    ...ALLOWANCES.flatMap((allowance) => TRIGGERS.map((trigger) => ({ tile, block, allowance, trigger }))),
  ]),
);

function indexOf(setting: (typeof GRID)[number]): number {
  const { tile, block, allowance, trigger } = setting;
  return GRID.findIndex(
    (each) =>
      each.tile === tile && each.block === block && each.allowance === allowance && each.trigger === trigger,
  );
}

/** The settings of a panel, of several columns. */
function shown<C extends Record<string, readonly (number | null)[] | undefined>>(tile: number, columns: C) {
  const at = BLOCKS.map((block) => indexOf({ tile, block, allowance: 1, trigger: 4 }));
  return Object.fromEntries(
    Object.entries(columns).map(([name, column]) => [name, at.map((i) => column?.[i] ?? null)]),
  ) as { readonly [K in keyof C]: (number | null)[] };
}

/** The four numbers that together decide whether looking ahead can pay. */
export const lookaheadGrid = defineStudy({
  name: 'lookahead-grid',
  title: 'Lookahead: trigger, allowance, block length and tile',
  paper: null,
  runs: `full system over ${GRID.length} settings (trigger 0: no lookahead), on a machine with that tile; means of ${CASES} cases`,
  workload: PAPER_WORKLOAD,
  stacks: ['llada.cpp'],
  measure: async (bench, open) => {
    const decodes = await open();
    const found = await inTurn(GRID, ({ tile, block, allowance, trigger }) => {
      const lookahead =
        trigger === 0
          ? { 'window.lookahead': null }
          : {
              'window.lookahead.trigger': trigger,
              'window.lookahead.allowanceRatio': allowance,
              'window.lookahead.maxRows': 64,
            };
      return decodes.run(
        variant(FULL_SYSTEM, { ...lookahead, blockLength: block }),
        { ...LLADA_CPP, hardware: { 'npu.matrixTile': String(tile) } },
        CASES,
      );
    });
    const seconds = found.map(meanSeconds);
    const gains = caseRatioIntervals(
      found.map(secondsOf),
      GRID.map((each, i) => [indexOf({ ...each, ...OFF }), i]),
      meanOf,
      bench.options.seed,
    );
    return {
      tile: GRID.map(({ tile }) => tile),
      block: GRID.map(({ block }) => block),
      allowance: GRID.map(({ allowance }) => allowance),
      trigger: GRID.map(({ trigger }) => trigger),
      seconds,
      forwards: found.map(meanForwards),
      gain_low: gains.low,
      gain_high: gains.high,
      off_s: GRID.map((each) => seconds[indexOf({ ...each, ...OFF })]),
    };
  },
  derive: ({ seconds, off_s }) => {
    const gain = ratios(off_s, seconds);
    return {
      gain,
      label: GRID.map(
        ({ tile, block, allowance, trigger }) =>
          `tile ${tile}, block ${block}, ${trigger === 0 ? 'off' : `trigger ${trigger}, allowance ${allowance}`}`,
      ),
      best_gain: Math.max(...gain.filter((_, i) => GRID[i].trigger > 0)),
      settings_that_pay: gain.filter((value) => value > 1.001).length,
    };
  },
  formulas: {
    gain: 'off_s / seconds',
    label: 'tile, block, trigger and allowance',
    best_gain: 'largest gain of a setting that looks ahead',
    settings_that_pay: 'settings with a gain over 1.001',
  },
  compare: (ours) => [
    ...series(ours.label, (setting) => setting, { unit: 's', ours: ours.seconds, kind: DECIDED }),
    { name: 'best gain of lookahead', unit: 'x', ours: ours.best_gain, paper: null, kind: DECIDED },
    { name: 'settings in which it pays', unit: '', ours: ours.settings_that_pay, paper: null, kind: DECIDED },
  ],
  notes: [
    WHO_DECIDED,
    'A tile of 16 or 64 rows is a what-if: rates are those of the chip, only the padding changes. Block length changes how many tokens are undecided at a time, and with it what the process says.',
  ],
  figure: ({ gain, gain_low, gain_high }) =>
    bars(
      TILES.map((tile) => ({
        title: `Tile of ${tile} rows, trigger 4`,
        axis: 'seconds without / with lookahead',
        scale: 'ratio',
        names: BLOCKS.map((block) => `block of ${block}`),
        ...shown(tile, { values: gain, low: gain_low, high: gain_high }),
      })),
    ),
});
