import type { Pass, StepPlan } from '../../src/pass/pass.js';
import { series } from '../comparison/compare.js';
import { defineStudy } from '../comparison/study.js';
import { curves, type Series } from '../figures/curves.js';

/** Visible tokens that want a refresh in a step. */
const COUNTS = [1, 2, 4, 8, 16, 32];
/** Positions cached when it happens: prompt and half an answer. */
const PREFIX = 144;
const WINDOW = 32;
/** Alternations of which the second half is measured. */
const STEPS = 4;

function pass(id: string, lane: 'main' | 'side', kind: Pass['kind'], first: number, rows: number): Pass {
  return {
    id,
    lane,
    kind,
    version: 1,
    visibility: lane === 'side' ? 'self' : 'all',
    rows: Array.from({ length: rows }, (_, i) => ({ position: first + i, feed: 0 })),
    reads: Array.from({ length: PREFIX }, (_, position) => ({ position, version: 0 })),
    logits: Array.from({ length: rows }, (_, i) => i),
  };
}

/** Where should visible tokens of the prefix be re-scored: on idle CPU cores, or on the NPU? */
export const refreshLane = defineStudy({
  name: 'refresh-lane',
  title: 'Refresh on the CPU beside the NPU, or on the NPU: the break-even',
  paper: null,
  runs: `a window of ${WINDOW} rows over ${PREFIX} cached positions and g refreshed rows: beside it on the CPU, as rows of the same pass, or as a pass of their own`,
  workload: null,
  stacks: ['llada.cpp'],
  measure: (bench) => {
    const machine = bench.machine('llada.cpp', 'somr');
    /** Mean ms of a step when the same step repeats; the first ones pay for what stays mapped. */
    const stepMs = (plans: (step: number) => StepPlan[]): number => {
      machine.reset();
      let start = 0;
      let end = 0;
      for (let step = 0; step < STEPS; step++) {
        for (const plan of plans(step)) end = machine.time(plan).endMs;
        if (step === STEPS / 2 - 1) start = end;
      }
      return (end - start) / (STEPS / 2);
    };
    const window = (step: number, rows = WINDOW) => pass(`${step}.0`, 'main', 'denoise', PREFIX, rows);
    const plan = (step: number, passes: Pass[], joins = false): StepPlan => ({
      step,
      block: 0,
      passes,
      joins,
    });
    const alone = stepMs((step) => [plan(step, [window(step)])]);
    const side = (step: number, g: number) => pass(`${step}.1`, 'side', 'refresh', 0, g);
    return {
      refreshed: COUNTS,
      alone_ms: COUNTS.map(() => alone),
      // The step waits for the refresh: what an answer pays if the CPU cannot keep up.
      cpu_ms: COUNTS.map((g) => stepMs((step) => [plan(step, [window(step), side(step, g)], true)])),
      npu_same_pass_ms: COUNTS.map((g) => stepMs((step) => [plan(step, [window(step, WINDOW + g)])])),
      npu_own_pass_ms: COUNTS.map((g) =>
        stepMs((step) => [
          plan(2 * step, [window(2 * step)]),
          plan(2 * step + 1, [pass(`${2 * step + 1}.0`, 'main', 'refresh', 0, g)]),
        ]),
      ),
    };
  },
  derive: ({ refreshed, alone_ms, cpu_ms, npu_same_pass_ms, npu_own_pass_ms }) => {
    const cpu_extra_ms = cpu_ms.map((ms, i) => ms - alone_ms[i]);
    const npu_extra_ms = alone_ms.map((ms, i) => Math.min(npu_same_pass_ms[i], npu_own_pass_ms[i]) - ms);
    return {
      cpu_extra_ms,
      npu_extra_ms,
      cpu_over_npu: cpu_ms.map((ms, i) => ms / (npu_extra_ms[i] + alone_ms[i])),
      cpu_wins: refreshed.filter((_, i) => cpu_extra_ms[i] <= npu_extra_ms[i]).length,
    };
  },
  formulas: {
    cpu_extra_ms: 'cpu_ms - alone_ms',
    npu_extra_ms: 'the smaller of npu_same_pass_ms and npu_own_pass_ms, minus alone_ms',
    cpu_over_npu: 'cpu_ms / (npu_extra_ms + alone_ms)',
    cpu_wins: 'numbers of rows at which cpu_extra_ms is at most npu_extra_ms',
  },
  compare: (ours) => [
    ...series(ours.refreshed, (rows) => `extra with ${rows} rows on the CPU`, {
      unit: 'ms',
      ours: ours.cpu_extra_ms,
      kind: 'predicted',
    }),
    ...series(ours.refreshed, (rows) => `extra with ${rows} rows on the NPU`, {
      unit: 'ms',
      ours: ours.npu_extra_ms,
      kind: 'predicted',
    }),
    {
      name: 'largest number of rows at which the CPU wins',
      unit: 'rows',
      paper: null,
      kind: 'predicted',
      ours: ours.cpu_wins === 0 ? 0 : ours.refreshed[ours.cpu_wins - 1],
    },
  ],
  notes: [
    'T28. The step waits for the refresh here; with delayed merge it need not, and then the CPU is free as long as a refresh ends within the steps it may be late.',
    "Figure 3b, of one operator alone, has the NPU lose at groups of one row only; here the whole pass counts, with the tile that the window's rows fill already.",
  ],
  figure: (ours) => {
    const line = (label: string, y: readonly number[], mark: Series['mark']): Series => ({
      source: 'here',
      label,
      mark,
      x: ours.refreshed,
      y,
    });
    return curves([
      {
        title: 'A denoising step with refreshed rows, by where they are refreshed',
        x: { title: 'refreshed rows per step', scale: 'log', values: COUNTS },
        y: { title: 'time of the step, ms' },
        series: [
          line('no refresh', ours.alone_ms, 'line'),
          line('CPU', ours.cpu_ms, 'line-and-points'),
          line('NPU, same pass', ours.npu_same_pass_ms, 'linked'),
          line('NPU, own pass', ours.npu_own_pass_ms, 'linked'),
        ],
      },
    ]);
  },
});
