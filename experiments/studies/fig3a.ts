import { over, under } from '../comparison/bands.js';
import { valueAt } from '../comparison/columns.js';
import { series } from '../comparison/compare.js';
import { ffnDownTimes } from '../comparison/ffn-down.js';
import { line } from '../comparison/statistics.js';
import { defineStudy } from '../comparison/study.js';
import { curves, type Panel } from '../figures/curves.js';

const TILE = 32;
/** Rows after which a new tile begins. */
const FULL_TILES = [32, 64, 96];

/** Every number of rows at which something can change, and the paper's. */
const TOKENS = [
  ...new Set([...Array.from({ length: 32 }, (_, i) => 4 * (i + 1)), 1, 31, 33, 63, 65, 95, 97, 127]),
].sort((a, b) => a - b);

export const fig3a = defineStudy({
  name: 'fig3a',
  title: 'The staircase: FFN down projection by tokens',
  paper: 'fig3a',
  runs: 'the FFN down projection of one layer over 1 to 128 rows, without dispatch',
  workload: null,
  stacks: ['cpu', 'llada.cpp'],
  measure: (bench) => {
    const { npu, cpu } = ffnDownTimes(bench, TOKENS);
    return { tokens: TOKENS, npu_ms: npu, cpu_ms: cpu };
  },
  derive: ({ tokens, npu_ms, cpu_ms }, paper) => {
    const npu = (at: number) => valueAt(tokens, npu_ms, at);
    const tile = tokens.map((t) => Math.ceil(t / TILE));
    return {
      tile,
      npu_at_paper: paper.tokens.map(npu),
      cpu_at_paper: paper.tokens.map((t) => valueAt(tokens, cpu_ms, t)),
      within_tile_spread: [1, 2, 3, 4].map((k) => {
        const inside = npu_ms.filter((_, i) => tile[i] === k);
        return (Math.max(...inside) - Math.min(...inside)) / Math.min(...inside);
      }),
      jump: FULL_TILES.map((full) => npu(full + 1) / npu(full) - 1),
    };
  },
  formulas: {
    tile: 'tokens / 32, rounded up',
    npu_at_paper: "npu_ms at the paper's tokens",
    cpu_at_paper: "cpu_ms at the paper's tokens",
    within_tile_spread: '(largest - smallest) / smallest npu_ms of tiles 1 to 4',
    jump: 'npu_ms at 33, 65 and 97 tokens over npu_ms one token before, minus 1',
  },
  compare: (ours, paper) => {
    const first = paper.tokens.filter((t) => t <= TILE).length;
    const npu = (tokens: number) => `NPU, ${tokens} tokens`;
    return [
      ...series(paper.tokens.slice(0, first), npu, {
        unit: 'ms',
        kind: 'predicted',
        ours: ours.npu_at_paper.slice(0, first),
        paper: paper.npu_ms.slice(0, first),
      }),
      // How the further tiles follow was read off this figure.
      ...series(paper.tokens.slice(first), npu, {
        unit: 'ms',
        kind: 'calibrated',
        ours: ours.npu_at_paper.slice(first),
        paper: paper.npu_ms.slice(first),
      }),
      ...series(paper.tokens, (tokens) => `CPU, ${tokens} tokens`, {
        unit: 'ms',
        kind: 'predicted',
        ours: ours.cpu_at_paper,
        paper: paper.cpu_ms,
      }),
      {
        name: 'largest spread inside a tile',
        unit: '%',
        ours: 100 * Math.max(...ours.within_tile_spread),
        paper: null,
        kind: 'ordering',
        band: { claim: 'T2', text: 'under 5 %', holds: under(5) },
        whenMissed: 'work that grows with rows inside a tile (activation conversion, output) is not hidden',
      },
      {
        name: 'smallest jump at 33, 65, 97',
        unit: '%',
        ours: 100 * Math.min(...ours.jump),
        paper: null,
        kind: 'ordering',
        band: { claim: 'T2', text: 'over 25 %', holds: over(25) },
      },
      {
        name: 'CPU linear in tokens, r²',
        unit: '',
        ours: line(ours.tokens, ours.cpu_ms).r ** 2,
        paper: line(paper.tokens, paper.cpu_ms).r ** 2,
        kind: 'ordering',
        band: { claim: 'T2', text: 'over 0.98', holds: over(0.98) },
      },
    ];
  },
  notes: [
    'That a tile repeats all work of the operator (no decoded weight is used twice) was read off this figure and Table 2; the height of the first step was not.',
  ],
  figure: (ours, paper) => {
    const panel = (title: string, column: 'npu_ms' | 'cpu_ms'): Panel => ({
      title,
      x: { title: 'tokens in the call', values: [1, 32, 64, 96, 128] },
      y: { title: 'time of the product, ms' },
      series: [
        { source: 'here', mark: 'line', x: ours.tokens, y: ours[column] },
        { source: 'paper', x: paper.tokens, y: paper[column] },
      ],
    });
    return curves([panel('FFN down on the NPU', 'npu_ms'), panel('FFN down on the CPU', 'cpu_ms')]);
  },
});
