import type { StepTiming } from '../../src/decode/method/timer.js';
import type { HardwareProfile } from '../hardware/schema.js';
import { ENERGY_NUMBERS, type EnergyName } from './energy-numbers.js';

/** Energy above idle, in J. */
export interface Energy {
  /** J. */
  readonly joules: number;
  /** With every assumed number at the low, and at the high end of its range. */
  readonly range: readonly [number, number];
  /** What took it; adds up to `joules`. */
  readonly parts: Readonly<Record<'npu on' | 'vector' | 'matrix' | 'dram' | 'cpu' | 'driver', number>>;
}

const W_MS = 1e-3;
const PJ = 1e-12;

/**
 * Energy of timed steps: power states for as long as they last, energy per byte moved in DRAM and per
 * multiply-accumulate, in joules. Every number in it is assumed (`ENERGY_NUMBERS`).
 */
export function energyOf(timings: readonly StepTiming[], profile: HardwareProfile): Energy {
  const at = (pick: (name: EnergyName) => number): Energy['parts'] => {
    const parts = { 'npu on': 0, vector: 0, matrix: 0, dram: 0, cpu: 0, driver: 0 };
    for (const { startMs, endMs, busyMs, counters } of timings) {
      const onNpu = counters.dispatches > 0;
      parts['npu on'] += onNpu ? pick('npuOnPower') * (endMs - startMs) * W_MS : 0;
      parts.vector += pick('vectorPower') * busyMs.vector * W_MS;
      parts.matrix += pick('macEnergy') * counters.matrixMacs * PJ;
      parts.dram += pick('dramEnergy') * counters.dramBytes * PJ;
      parts.driver += pick('driverPower') * busyMs.driver * W_MS;
      const { primeCores, midCores } = profile.cpu;
      const allCores = primeCores * pick('primeCorePower') + midCores * pick('midCorePower');
      // CPU time is the average over all cores.
      parts.cpu += allCores * busyMs.cpu * W_MS;
    }
    return parts;
  };
  const sum = (parts: Energy['parts']): number => Object.values(parts).reduce((all, part) => all + part, 0);
  const parts = at((name) => ENERGY_NUMBERS[name].value);
  const low = sum(at((name) => ENERGY_NUMBERS[name].range?.[0] ?? ENERGY_NUMBERS[name].value));
  const high = sum(at((name) => ENERGY_NUMBERS[name].range?.[1] ?? ENERGY_NUMBERS[name].value));
  return { joules: sum(parts), range: [low, high], parts };
}
