import { stepIntervals } from '../../sim/interval/of-steps.js';
import { denoisingShape, steadyMs } from '../../sim/workload/steady-step.js';
import { within } from '../comparison/bands.js';
import { ratios } from '../comparison/columns.js';
import { series } from '../comparison/compare.js';
import { defineStudy } from '../comparison/study.js';
import { latencies } from '../figures/bars.js';

const ROWS = [32, 64, 128];

/** The band of T1 is that of a fitted law; nothing is fitted here, so it is stricter than the model claims to be. */
const T1 = { claim: 'T1', text: 'within 3 %', holds: within(0.03) };

export const table2 = defineStudy({
  name: 'table2',
  title: 'One denoising step, CPU and NPU',
  paper: 'table2',
  runs: 'one denoising step of 32, 64 and 128 rows in steady state; NPU: llada.cpp with SOMR; no cached prefix',
  workload: null,
  stacks: ['cpu', 'llada.cpp'],
  measure: (bench) => {
    const cpu = bench.machine('cpu', 'unlimited');
    const npu = bench.machine('llada.cpp', 'somr');
    const steps = (machine: typeof cpu) => {
      const timed = ROWS.map((rows) => ({ rows, ms: steadyMs(machine, denoisingShape(rows)) }));
      const { intervals } = stepIntervals(machine, timed, { context: 0 }, bench.hooks.signal);
      return {
        ms: timed.map(({ ms }) => ms),
        low: intervals.map(({ low }) => low),
        high: intervals.map(({ high }) => high),
      };
    };
    const [onCpu, onNpu] = [steps(cpu), steps(npu)];
    return {
      tokens: ROWS,
      cpu_ms: onCpu.ms,
      cpu_low_ms: onCpu.low,
      cpu_high_ms: onCpu.high,
      npu_ms: onNpu.ms,
      npu_low_ms: onNpu.low,
      npu_high_ms: onNpu.high,
    };
  },
  derive: ({ cpu_ms, npu_ms }, paper) => ({
    ratio: ratios(cpu_ms, npu_ms),
    paper_ratio: ratios(paper.cpu_ms, paper.npu_ms),
  }),
  formulas: { ratio: 'cpu_ms / npu_ms', paper_ratio: 'cpu_ms / npu_ms of the paper' },
  compare: (ours, paper) => [
    ...series(ours.tokens, (rows) => `CPU, ${rows} rows`, {
      unit: 'ms',
      ours: ours.cpu_ms,
      machine: { low: ours.cpu_low_ms, high: ours.cpu_high_ms },
      paper: paper.cpu_ms,
      kind: 'calibrated',
      band: T1,
      whenMissed:
        'not fitted: six threads of dot products at a published rate. The law has no fixed cost per step; the paper has 0.7 s',
    }),
    ...series(ours.tokens, (rows) => `NPU, ${rows} rows`, {
      unit: 'ms',
      ours: ours.npu_ms,
      machine: { low: ours.npu_low_ms, high: ours.npu_high_ms },
      paper: paper.npu_ms,
      kind: 'calibrated',
      band: T1,
      whenMissed: 'not fitted: predicted from component rates, each with its own published range',
    }),
    ...series(ours.tokens, (rows) => `CPU / NPU, ${rows} rows`, {
      unit: 'x',
      ours: ours.ratio,
      paper: ours.paper_ratio,
      kind: 'calibrated',
    }),
  ],
  notes: [
    'No number was fitted, but two modelling choices (6 CPU threads beside the NPU; the slowest core decides) were settled with this table in view: the kind is calibrated, and a match proves nothing.',
  ],
  figure: (ours, paper) =>
    latencies({
      names: ROWS.map((rows) => `step of ${rows} rows`),
      axis: 'time of one step, ms',
      groups: [
        { name: 'CPU', ours: ours.cpu_ms, low: ours.cpu_low_ms, high: ours.cpu_high_ms, paper: paper.cpu_ms },
        { name: 'NPU', ours: ours.npu_ms, low: ours.npu_low_ms, high: ours.npu_high_ms, paper: paper.npu_ms },
      ],
    }),
});
