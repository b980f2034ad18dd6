import { type Experiment, numbersOf } from '../comparison/experiment.js';
import { ffnDownMs } from '../comparison/ffn-down.js';
import { curves } from '../figures/curves.js';

/** Every number of rows at which something can change, and the paper's. */
const TOKENS = [
  ...new Set([...Array.from({ length: 32 }, (_, i) => 4 * (i + 1)), 1, 31, 33, 63, 65, 95, 97, 127]),
].sort((a, b) => a - b);

export const fig3a: Experiment = {
  name: 'fig3a',
  title: 'The staircase: FFN down projection by tokens',
  paper: 'fig3a',
  runs: 'the FFN down projection of one layer over 1 to 128 rows, without dispatch',
  workload: null,
  stacks: ['cpu', 'llada.cpp'],
  measure: (bench) => {
    const npu = bench.machine('llada.cpp', 'unlimited', { record: true, layers: 1 });
    const cpu = bench.machine('cpu', 'unlimited', { record: true, layers: 1 });
    return {
      tokens: TOKENS,
      npu_ms: TOKENS.map((rows) => ffnDownMs(npu, rows)),
      cpu_ms: TOKENS.map((rows) => ffnDownMs(cpu, rows)),
    };
  },
  derived: {
    tile: 'ceil(tokens / 32)',
    npu_at_paper: 'map(paper.tokens, f(t) = npu_ms[sum(tokens <= t)])',
    cpu_at_paper: 'map(paper.tokens, f(t) = cpu_ms[sum(tokens <= t)])',
    within_tile_spread:
      'map([1, 2, 3, 4], f(k) = (max(filter(npu_ms .* (tile == k), g(x) = x > 0)) - min(filter(npu_ms .* (tile == k), g(x) = x > 0))) / min(filter(npu_ms .* (tile == k), g(x) = x > 0)))',
    jump: 'map([33, 65, 97], f(t) = npu_ms[sum(tokens <= t)] / npu_ms[sum(tokens < t)] - 1)',
  },
  rows: [
    {
      name: 'NPU, {label} tokens',
      labels: 'paper.tokens[1:4]',
      unit: 'ms',
      kind: 'predicted',
      ours: 'npu_at_paper[1:4]',
      paper: 'paper.npu_ms[1:4]',
    },
    {
      // How the further tiles follow was read off this figure.
      name: 'NPU, {label} tokens',
      labels: 'paper.tokens[5:17]',
      unit: 'ms',
      kind: 'calibrated',
      ours: 'npu_at_paper[5:17]',
      paper: 'paper.npu_ms[5:17]',
    },
    {
      name: 'CPU, {label} tokens',
      labels: 'paper.tokens',
      unit: 'ms',
      ours: 'cpu_at_paper',
      paper: 'paper.cpu_ms',
      kind: 'predicted',
    },
    {
      name: 'largest spread inside a tile',
      unit: '%',
      ours: '100 * max(within_tile_spread)',
      paper: null,
      kind: 'ordering',
      band: { claim: 'T2', text: 'under 5 %', pass: 'ours < 5' },
      whenMissed: 'work that grows with rows inside a tile (activation conversion, output) is not hidden',
    },
    {
      name: 'smallest jump at 33, 65, 97',
      unit: '%',
      ours: '100 * min(jump)',
      paper: null,
      kind: 'ordering',
      band: { claim: 'T2', text: 'over 25 %', pass: 'ours > 25' },
    },
    {
      name: 'CPU linear in tokens, r²',
      unit: '',
      ours: 'pearson(tokens, cpu_ms) ^ 2',
      paper: 'pearson(paper.tokens, paper.cpu_ms) ^ 2',
      kind: 'ordering',
      band: { claim: 'T2', text: 'over 0.98', pass: 'ours > 0.98' },
    },
  ],
  notes: [
    'That a tile repeats all work of the operator (no decoded weight is used twice) was read off this figure and Table 2; the height of the first step was not.',
  ],
  figure: (columns, paper) =>
    curves([
      {
        title: 'NPU',
        x: { title: 'tokens', values: [1, 32, 64, 96, 128] },
        y: { title: 'FFN down, ms' },
        series: [
          {
            source: 'here',
            mark: 'line',
            x: numbersOf(columns, 'tokens'),
            y: numbersOf(columns, 'npu_ms'),
          },
          { source: 'paper', x: numbersOf(paper, 'tokens'), y: numbersOf(paper, 'npu_ms') },
        ],
      },
      {
        title: 'CPU',
        x: { title: 'tokens', values: [1, 32, 64, 96, 128] },
        y: { title: 'FFN down, ms' },
        series: [
          { source: 'here', mark: 'line', x: numbersOf(columns, 'tokens'), y: numbersOf(columns, 'cpu_ms') },
          { source: 'paper', x: numbersOf(paper, 'tokens'), y: numbersOf(paper, 'cpu_ms') },
        ],
      },
    ]),
};
