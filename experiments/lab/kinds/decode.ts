import { energyOf } from '../../../sim/energy/energy.js';
import type { StepTiming } from '../../../src/decode/method/timer.js';
import { mean, median } from '../../../src/score/statistics/samples.js';
import { defineKind } from '../kind.js';
import { reproducibility } from '../open.js';
import { setupSchema } from '../setup.js';
import { caseResult, decidedMetrics, type TimedCaseResult } from './case-result.js';
import { chipInputs, decisionInputs } from './inputs.js';
import { questions, sameDecisions } from './questions.js';
import { under } from './under.js';

/** Cases of a decider under one policy, each decode timed on one machine. */
export const decodeKind = defineKind({
  name: 'decode',
  description:
    'cases decided by a workload (a model, a trace, a confidence process) under a policy, timed on a machine',
  main: ['seconds', 'joules', 'exactShare', 'forwards', 'tokensPerForward'],
  config: setupSchema,
  async inputs(config) {
    return { ...chipInputs(config), ...(await decisionInputs(config)) };
  },
  sharing: (config) => sameDecisions(config),
  async run(config, lab, signal) {
    const cases: TimedCaseResult[] = [];
    const busyMs: Record<string, number> = {};
    for (const question of questions(config, config)) {
      const { decided, timings } = await lab.solve(question, signal);
      const timed = timings ?? [];
      for (const timing of timed) addTo(busyMs, timing.busyMs);
      cases.push({
        ...caseResult(question.index, decided),
        ms: timed.at(-1)?.endMs ?? 0,
        joules: energyOf(timed, lab.machine(config).options.profile).joules,
        busyMs: summed(timed, 'busyMs'),
        machineCounters: summed(timed, 'counters'),
      });
    }
    const { engineName } = await lab.decider(config, config.seed);
    return {
      metrics: metricsOf(cases, busyMs),
      detail: { engine: engineName, sameBits: reproducibility(config, engineName), cases },
    };
  },
});

function summed(timings: readonly StepTiming[], part: 'busyMs' | 'counters'): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const timing of timings) addTo(sums, timing[part]);
  return sums;
}

function addTo(sums: Record<string, number>, values: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(values)) sums[name] = (sums[name] ?? 0) + value;
}

/** @param busyMs of all cases, added up step by step */
function metricsOf(cases: readonly TimedCaseResult[], busyMs: Readonly<Record<string, number>>) {
  const seconds = cases.map(({ ms }) => ms / 1000);
  const totalMs = seconds.reduce((sum, each) => sum + each * 1000, 0);
  const shares = Object.entries(busyMs).map(([name, ms]) => [name, ms / totalMs]);
  const { exactShare, ...decided } = decidedMetrics(cases);
  return {
    seconds: mean(seconds),
    medianSeconds: median(seconds),
    joules: mean(cases.map(({ joules }) => joules)),
    exactShare,
    ...decided,
    ...under('busyShare', Object.fromEntries(shares)),
  };
}
