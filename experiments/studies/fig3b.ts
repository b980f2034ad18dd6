import { type Experiment, numbersOf } from '../comparison/experiment.js';
import { ffnDownMs } from '../comparison/ffn-down.js';
import { curves } from '../figures/curves.js';

const TOKENS = 32;
const GROUPS = [1, 2, 4, 8, 16, 32];

export const fig3b: Experiment = {
  name: 'fig3b',
  title: '32 tokens processed in groups',
  paper: 'fig3b',
  runs: 'the FFN down projection over 32 tokens as 32 / g calls of g rows, without dispatch',
  workload: null,
  stacks: ['cpu', 'llada.cpp'],
  measure: (bench) => {
    const npu = bench.machine('llada.cpp', 'unlimited', { record: true, layers: 1 });
    const cpu = bench.machine('cpu', 'unlimited', { record: true, layers: 1 });
    return {
      group: GROUPS,
      npu_call_ms: GROUPS.map((rows) => ffnDownMs(npu, rows)),
      cpu_call_ms: GROUPS.map((rows) => ffnDownMs(cpu, rows)),
      dispatch_ms: GROUPS.map(() => bench.hardware.driver.remoteCall),
    };
  },
  derived: {
    calls: `${TOKENS} ./ group`,
    npu_ms: 'calls .* npu_call_ms',
    cpu_ms: 'calls .* cpu_call_ms',
    npu_dispatched_ms: 'calls .* (npu_call_ms + dispatch_ms)',
  },
  rows: [
    {
      name: 'NPU, groups of {label}',
      labels: 'group',
      unit: 'ms',
      ours: 'npu_ms',
      paper: 'paper.npu_ms',
      kind: 'predicted',
    },
    {
      name: 'NPU with dispatch, groups of {label}',
      labels: 'group',
      unit: 'ms',
      ours: 'npu_dispatched_ms',
      paper: 'paper.npu_ms',
      kind: 'predicted',
    },
    {
      name: 'CPU, groups of {label}',
      labels: 'group',
      unit: 'ms',
      ours: 'cpu_ms',
      paper: 'paper.cpu_ms',
      kind: 'predicted',
    },
    {
      name: 'NPU, one by one over all at once',
      unit: 'x',
      ours: 'npu_ms[1] / npu_ms[6]',
      paper: 'paper.npu_ms[1] / paper.npu_ms[6]',
      kind: 'predicted',
    },
  ],
  notes: [
    'The paper does not say whether a group is one dispatched call; both are given.',
    `The paper's CPU needs about 41 ms for 32 tokens here and about 27 ms in Figure 3a (interpolated).`,
  ],
  figure: (columns, paper) => {
    const x = { title: 'tokens per group', scale: 'log', values: GROUPS } as const;
    const y = { title: 'ms for 32 tokens', scale: 'log', values: [1, 2, 5, 10, 20, 50] } as const;
    return curves([
      {
        title: 'NPU',
        x,
        y,
        series: [
          { source: 'here', x: numbersOf(columns, 'group'), y: numbersOf(columns, 'npu_ms') },
          { source: 'paper', x: numbersOf(paper, 'group'), y: numbersOf(paper, 'npu_ms') },
        ],
      },
      {
        title: 'CPU',
        x,
        y,
        series: [
          { source: 'here', x: numbersOf(columns, 'group'), y: numbersOf(columns, 'cpu_ms') },
          { source: 'paper', x: numbersOf(paper, 'group'), y: numbersOf(paper, 'cpu_ms') },
        ],
      },
    ]);
  },
};
