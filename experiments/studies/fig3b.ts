import { valueAt } from '../comparison/columns.js';
import { series } from '../comparison/compare.js';
import { ffnDownTimes } from '../comparison/ffn-down.js';
import { defineStudy } from '../comparison/study.js';
import { curves, type Panel } from '../figures/curves.js';

const TOKENS = 32;
const GROUPS = [1, 2, 4, 8, 16, 32];

export const fig3b = defineStudy({
  name: 'fig3b',
  title: '32 tokens processed in groups',
  paper: 'fig3b',
  runs: 'the FFN down projection over 32 tokens as 32 / g calls of g rows, without dispatch',
  workload: null,
  stacks: ['cpu', 'llada.cpp'],
  measure: (bench) => {
    const { npu, cpu } = ffnDownTimes(bench, GROUPS);
    return {
      group: GROUPS,
      npu_call_ms: npu,
      cpu_call_ms: cpu,
      dispatch_ms: GROUPS.map(() => bench.hardware.driver.remoteCall),
    };
  },
  derive: ({ group, npu_call_ms, cpu_call_ms, dispatch_ms }) => {
    const calls = group.map((rows) => TOKENS / rows);
    return {
      calls,
      npu_ms: npu_call_ms.map((ms, i) => calls[i] * ms),
      cpu_ms: cpu_call_ms.map((ms, i) => calls[i] * ms),
      npu_dispatched_ms: npu_call_ms.map((ms, i) => calls[i] * (ms + dispatch_ms[i])),
    };
  },
  formulas: {
    calls: `${TOKENS} / group`,
    npu_ms: 'calls * npu_call_ms',
    cpu_ms: 'calls * cpu_call_ms',
    npu_dispatched_ms: 'calls * (npu_call_ms + dispatch_ms)',
  },
  compare: (ours, paper) => {
    const oneByOne = (group: readonly number[], ms: readonly number[]): number =>
      valueAt(group, ms, 1) / valueAt(group, ms, TOKENS);
    return [
      ...series(ours.group, (rows) => `NPU, groups of ${rows}`, {
        unit: 'ms',
        ours: ours.npu_ms,
        paper: paper.npu_ms,
        kind: 'predicted',
      }),
      ...series(ours.group, (rows) => `NPU with dispatch, groups of ${rows}`, {
        unit: 'ms',
        ours: ours.npu_dispatched_ms,
        paper: paper.npu_ms,
        kind: 'predicted',
      }),
      ...series(ours.group, (rows) => `CPU, groups of ${rows}`, {
        unit: 'ms',
        ours: ours.cpu_ms,
        paper: paper.cpu_ms,
        kind: 'predicted',
      }),
      {
        name: 'NPU, one by one over all at once',
        unit: 'x',
        ours: oneByOne(ours.group, ours.npu_ms),
        paper: oneByOne(paper.group, paper.npu_ms),
        kind: 'predicted',
      },
    ];
  },
  notes: [
    'The paper does not say whether a group is one dispatched call; both are given.',
    `The paper's CPU needs about 41 ms for 32 tokens here and about 27 ms in Figure 3a (interpolated).`,
  ],
  figure: (ours, paper) => {
    const panel = (title: string, column: 'npu_ms' | 'cpu_ms'): Panel => ({
      title,
      x: { title: 'tokens per group', scale: 'log', values: GROUPS },
      y: { title: 'time for 32 tokens, ms', scale: 'log', values: [1, 2, 5, 10, 20, 50] },
      series: [
        { source: 'here', x: ours.group, y: ours[column] },
        { source: 'paper', x: paper.group, y: paper[column] },
      ],
    });
    return curves([panel('FFN down on the NPU', 'npu_ms'), panel('FFN down on the CPU', 'cpu_ms')]);
  },
});
