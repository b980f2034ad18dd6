import { bars, latencies } from '../../experiments/figures/bars.js';
import { carpetFigure } from '../../experiments/figures/carpet.js';
import { curves } from '../../experiments/figures/curves.js';
import { utilizationMap } from '../../experiments/figures/heat-map.js';
import { ladderFigure } from '../../experiments/figures/ladder.js';
import type { Figure } from '../../experiments/figures/page.js';
import { pareto } from '../../experiments/figures/pareto.js';
import { type Roof, roofline } from '../../experiments/figures/roofline.js';
import { staircase } from '../../experiments/figures/staircase.js';
import { timelineFigure } from '../../experiments/figures/timeline.js';
import { tornado } from '../../experiments/figures/tornado.js';
import { valueMap } from '../../experiments/figures/value-map.js';
import { waterfall } from '../../experiments/figures/waterfall.js';
import { syntheticCarpet, syntheticSummary, syntheticTimeline } from './synthetic-summary.js';

const ROOFS: Roof[] = [
  { unit: 'NPU', name: 'DMA', rate: 30e9, kind: 'bytes' },
  { unit: 'NPU', name: 'matrix unit', rate: 16e12, kind: 'operations' },
  { unit: 'CPU', name: 'CPU reads', rate: 60e9, kind: 'bytes' },
];
/** One of every kind of figure, of made-up data. */
export const FIGURES: [string, () => Figure][] = [
  [
    'waterfall',
    () =>
      waterfall(
        [
          { name: 'base', seconds: 100 },
          { name: '+ one', seconds: 20 },
          { name: '+ two', seconds: 25 },
        ],
        { title: 'synthetic' },
      ),
  ],
  [
    'utilization',
    () =>
      utilizationMap(
        [
          { step: 0, busy: { dma: 0.5 } },
          { step: 1, busy: {} },
        ],
        ['dma', 'cpu'],
        'synthetic',
      ),
  ],
  [
    'roofline',
    () =>
      roofline({
        title: 'synthetic',
        subtitle: 'synthetic',
        level: 'DRAM',
        roofs: ROOFS,
        classes: [
          {
            unit: 'NPU',
            name: 'down',
            operations: 1e9,
            bytes: 1e7,
            seconds: 1e-3,
            share: 0.5,
            assumed: false,
          },
          {
            unit: 'NPU',
            name: 'attention',
            operations: 1e8,
            bytes: 1e7,
            seconds: 1e-3,
            share: 0.1,
            assumed: true,
          },
          {
            unit: 'CPU',
            name: 'head',
            operations: 1e8,
            bytes: 1e6,
            seconds: 1e-3,
            share: 0.3,
            assumed: false,
          },
        ],
      }),
  ],
  [
    'pareto',
    () =>
      pareto(
        [
          { name: 'a', x: 1, y: 0.5, low: 0.4, high: 0.6 },
          { name: 'b', x: 2, y: 0.9 },
          { name: 'c', x: 3, y: 0.8 },
        ],
        { title: 'synthetic', x: { title: 'seconds' }, y: { title: 'exact', percent: true } },
      ),
  ],
  [
    'tornado',
    () =>
      tornado(
        [
          { name: 'small', lowText: '1', highText: '2', atLow: 9, atHigh: 10 },
          { name: 'large', lowText: '1', highText: '2', atLow: 5, atHigh: 20 },
        ],
        10,
        { title: 'synthetic', x: 'ms' },
      ),
  ],
  [
    'staircase',
    () =>
      staircase(
        [1, 32, 33, 64].flatMap((rows) => [
          { rows, ms: Math.ceil(rows / 32), series: 'a' },
          { rows, ms: 2 * Math.ceil(rows / 32), series: 'b' },
        ]),
        32,
        { title: 'synthetic' },
      ),
  ],
  [
    'bars',
    () =>
      bars([
        {
          title: 'from zero',
          axis: 'seconds',
          names: ['a', 'b'],
          values: [3, -1],
          low: [2, null],
          high: [5, null],
        },
        { title: 'from one', axis: 'times faster', scale: 'ratio', names: ['a', 'b'], values: [2, 0.8] },
        { title: 'dots', axis: 'joules', scale: 'log', names: ['a', 'b'], values: [3, 3000] },
      ]),
  ],
  [
    'latencies',
    () =>
      latencies({
        names: ['a', 'b'],
        axis: 'seconds',
        groups: [{ name: 'synthetic', ours: [1, 100], paper: [2, null] }],
      }),
  ],
  [
    'curves',
    () =>
      curves([
        {
          title: 'synthetic',
          x: { title: 'tokens' },
          y: { title: 'time, ms' },
          series: [
            { source: 'here', label: 'one', x: [1, 2, 3], y: [1, 4, 9] },
            { source: 'here', label: 'two', x: [1, 2, 3], y: [1, 4, 9.1] },
            { source: 'paper', x: [1, 2, 3], y: [1, null, 8] },
          ],
        },
      ]),
  ],
  [
    'value-map',
    () =>
      valueMap(
        ['a', 'b'].flatMap((row) =>
          ['x', 'y'].map((column) => ({ row, column, group: 'one', value: row === column ? null : 1.5 })),
        ),
        'synthetic',
        'seconds before / after',
      ),
  ],
  ['ladder', () => ladderFigure(syntheticSummary())],
  ['carpet', () => carpetFigure(syntheticCarpet(16, 8))],
  ['timeline', () => timelineFigure(syntheticTimeline(2))],
];
