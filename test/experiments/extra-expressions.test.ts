import { describe, expect, it } from 'vitest';
import { evaluateExperiment } from '../../experiments/comparison/evaluate.js';
import type { Columns } from '../../experiments/comparison/experiment.js';
import { lookaheadGrid } from '../../experiments/studies/lookahead-grid.js';
import { subsets } from '../../experiments/studies/subsets.js';
import { tornado } from '../../experiments/studies/tornado.js';

/** Small columns of the shape that the wide sweeps measure: their expressions cost nothing, their decodes do. */
const SHAPES: readonly (readonly [typeof subsets, Columns, Readonly<Record<string, number>>])[] = [
  [
    subsets,
    {
      subset: Array.from({ length: 32 }, (_, i) => `s${i}`),
      seconds: Array.from({ length: 32 }, (_, i) => 32 - i),
      technique: ['a', 'b'],
      shapley_log: [Math.log(4), Math.log(8)],
      alone_log: [0, Math.log(2)],
      pair: ['a with b'],
      interaction_log: [0],
    },
    {
      'all five over none': 32,
      'a: Shapley share of the speed-up': 40,
      'b alone': 2,
      'b: Shapley factor': 8,
    },
  ],
  [
    lookaheadGrid,
    { tile: [32, 32], block: [16, 16], trigger: [0, 4], allowance: [0, 0.5], seconds: [8, 4], off_s: [8, 8] },
    {
      'tile 32, block 16, off': 8,
      'tile 32, block 16, trigger 4, allowance 0.5': 4,
      'best gain of lookahead': 2,
      'settings in which it pays': 1,
    },
  ],
  [
    tornado,
    {
      parameter: ['p', 'q'],
      item: [1, 0],
      low_text: ['a', '1 us'],
      high_text: ['b', '2 us'],
      swing_pct: [20, 10],
      full_system_s: [10],
      without_bar: [26, 27],
      without_bar_reason: ['an output', 'another question'],
    },
    {
      'full system, all defaults': 10,
      '1 p (a to b)': 20,
      'q (1 us to 2 us)': 10,
      '26: no bar (an output)': 0,
    },
  ],
];

describe('expressions of the wide sweeps', () => {
  for (const [experiment, columns, expected] of SHAPES) {
    it(experiment.name, () => {
      const { rows } = evaluateExperiment(experiment, columns, {}, 'synthetic');
      const found = Object.fromEntries(rows.map(({ name, ours }) => [name, ours]));
      for (const [name, value] of Object.entries(expected)) expect(found[name], name).toBeCloseTo(value, 9);
    });
  }
});
