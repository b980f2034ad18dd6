import type { LatencyTable } from '../../src/decode/rules/rule.js';
import { denoisingShape, steadyMs } from '../workload/steady-step.js';
import type { Machine } from './machine.js';

/** Context length at which the table is profiled: prompt and half an answer of the paper's size. */
export const TABLE_CONTEXT = 160;

/**
 * Offline latency table of adaptive lookahead (arXiv:2606.13740 section 3.2): cost of one denoising pass by rows on
 * this machine, in steady state, each number of rows timed once when it is first asked for.
 * @param machine used for nothing else: it is reset
 */
export function latencyTable(machine: Machine, context = TABLE_CONTEXT): LatencyTable {
  const known = new Map<number, number>();
  return (rows) => {
    let ms = known.get(rows);
    if (ms === undefined) {
      ms = steadyMs(machine, denoisingShape(rows, context));
      known.set(rows, ms);
    }
    return ms;
  };
}
