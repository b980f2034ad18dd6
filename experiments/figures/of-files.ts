import { perResource } from '../../sim/machine/machine.js';
import { isStepTiming, RESOURCES } from '../../src/decode/method/timer.js';
import { readTrace } from '../../src/decode/trace/trace.js';
import { CheckError } from '../../src/errors.js';
import { readSummary } from '../studies/ladder/summary-file.js';
import { utilizationMap } from './heat-map.js';
import type { Figure } from './page.js';
import { waterfall } from './waterfall.js';
import { chipWords, modelWords, timerWords } from './words.js';

/**
 * Busy share by resource and step of a timed trace. Resources that never work are left out.
 * @throws CheckError when the trace has no timing; EnvironmentError and DataError as reading it
 */
export function traceUtilization(path: string): Figure {
  const { header, steps } = readTrace(path);
  const { timer } = header;
  const busy = steps.flatMap(({ timing }) => {
    if (!isStepTiming(timing)) return [];
    const { startMs, endMs, busyMs } = timing;
    return [perResource((name) => busyMs[name] / (endMs - startMs))];
  });
  if (busy.length === 0 || timer === null)
    throw new CheckError(`${path}: the trace has no timing; decode it with a machine`);
  const resources = RESOURCES.filter((name) => busy.some((shares) => shares[name] > 0));
  return utilizationMap(
    busy.map((shares, step) => ({ step, busy: shares })),
    resources,
    `simulated decode of policy ${header.policy.name}: ${timerWords(timer)}`,
  );
}

/** What each row of an ablation takes off the latency. @throws EnvironmentError and DataError as reading it */
export function summaryWaterfall(path: string): Figure {
  const { rows, costModel, profile } = readSummary(path);
  return waterfall(
    // `CPU` and `NPU` decode on the full canvas: another method, not a step of the ladder.
    rows
      .filter(({ policy }) => policy !== 'llada')
      .map(({ name, latency_s: { median, low, high } }) => ({ name, seconds: median, low, high })),
    {
      title: `What each technique takes off: ${modelWords(costModel.name)} on ${chipWords(profile.name)}`,
      subtitle: 'simulated; factor over the row above; black lines: 95 % intervals of the median',
    },
  );
}
