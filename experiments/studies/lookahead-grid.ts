import type { MachineChoice } from '../comparison/bench.js';
import { LLADA_CPP } from '../comparison/decodes.js';
import { DECIDED, type Experiment, numbersOf } from '../comparison/experiment.js';
import { PAPER_WORKLOAD, WHO_DECIDED } from '../comparison/words.js';
import { bars } from '../figures/bars.js';
import { meanForwards, meanSeconds, variant } from '../lab/decode-statistics.js';

const CASES = 4;
const TILES = [16, 32, 64];
const BLOCKS = [16, 32, 64];
const ALLOWANCES = [0, 0.5, 1];
const TRIGGERS = [4, 8];

const GRID = TILES.flatMap((tile) =>
  BLOCKS.flatMap((block) => [
    { tile, block, allowance: 0, trigger: 0 },
    ...ALLOWANCES.flatMap((allowance) => TRIGGERS.map((trigger) => ({ tile, block, allowance, trigger }))),
  ]),
);

/** The four numbers that together decide whether looking ahead can pay. */
export const lookaheadGrid: Experiment = {
  name: 'lookahead-grid',
  title: 'Lookahead: trigger, allowance, block length and tile',
  paper: null,
  runs: `full system over ${GRID.length} settings (trigger 0: no lookahead), on a machine with that tile; means of ${CASES} cases`,
  workload: PAPER_WORKLOAD,
  stacks: ['llada.cpp'],
  measure: async (_, open) => {
    const decodes = await open();
    const seconds: number[] = [];
    const forwards: number[] = [];
    for (const { tile, block, allowance, trigger } of GRID) {
      const lookahead =
        trigger === 0
          ? { 'window.lookahead': null }
          : {
              'window.lookahead.trigger': trigger,
              'window.lookahead.allowanceRatio': allowance,
              'window.lookahead.maxRows': 64,
            };
      const machine: MachineChoice = { ...LLADA_CPP, hardware: { 'npu.matrixTile': String(tile) } };
      const facts = await decodes.run(
        variant('llada.cpp', { ...lookahead, blockLength: block }),
        machine,
        CASES,
      );
      seconds.push(meanSeconds(facts));
      forwards.push(meanForwards(facts));
    }
    return {
      tile: GRID.map(({ tile }) => tile),
      block: GRID.map(({ block }) => block),
      allowance: GRID.map(({ allowance }) => allowance),
      trigger: GRID.map(({ trigger }) => trigger),
      seconds,
      forwards,
      off_s: GRID.map(({ tile, block }) => {
        const off = GRID.findIndex(
          (each) => each.tile === tile && each.block === block && each.trigger === 0,
        );
        return seconds[off] ?? null;
      }),
    };
  },
  derived: {
    gain: 'off_s ./ seconds',
    label:
      'map(1:size(tile)[1], f(i) = concat("tile ", string(tile[i]), ", block ", string(block[i]), trigger[i] == 0 ? ", off" : concat(", trigger ", string(trigger[i]), ", allowance ", string(allowance[i]))))',
    best_gain: 'max(gain .* (trigger > 0))',
    settings_that_pay: 'sum(gain > 1.001)',
  },
  rows: [
    { name: '{label}', labels: 'label', unit: 's', ours: 'seconds', paper: null, kind: DECIDED },
    { name: 'best gain of lookahead', unit: 'x', ours: 'best_gain', paper: null, kind: DECIDED },
    { name: 'settings in which it pays', unit: '', ours: 'settings_that_pay', paper: null, kind: DECIDED },
  ],
  notes: [
    WHO_DECIDED,
    'A tile of 16 or 64 rows is a what-if: rates are those of the chip, only the padding changes. Block length changes how many tokens are undecided at a time, and with it what the process says.',
  ],
  figure: (columns) => {
    const gain = numbersOf(columns, 'gain');
    return bars(
      TILES.map((tile) => ({
        title: `Tile of ${tile} rows`,
        unit: 'gain of lookahead by one pass, trigger 4',
        names: BLOCKS.map((block) => `block ${block}`),
        values: BLOCKS.map((block) => {
          const at = GRID.findIndex(
            (each) =>
              each.tile === tile && each.block === block && each.trigger === 4 && each.allowance === 1,
          );
          return gain[at] ?? null;
        }),
      })),
    );
  },
};
