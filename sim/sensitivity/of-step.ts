import type { PassShape } from '../../src/pass/shape.js';
import type { Machine } from '../machine/machine.js';
import { type Chip, machine as openMachine } from '../open-machine.js';
import { steadyMs } from '../workload/steady-step.js';
import { type Parameter, parametersOf } from './parameters.js';
import { oneAtATime, seededRandom, totalOrder } from './sensitivity.js';

/** What one number does to a step. */
export interface StepEffect {
  readonly name: string;
  readonly kind: Parameter['kind'];
  readonly value: number;
  readonly range: readonly [number, number];
  readonly msAtLow: number;
  readonly msAtHigh: number;
  readonly swing: number;
  /** Share of the variance that it takes part in; undefined without samples. */
  readonly totalOrder?: number;
}

/** How much a step depends on every number that may be another. */
export interface StepSensitivity {
  /** At the defaults. */
  readonly ms: number;
  /** Over all ranges; undefined without samples. */
  readonly meanMs?: number;
  readonly deviationMs?: number;
  /** Largest swing first. */
  readonly parameters: readonly StepEffect[];
}

/** What is looked at. */
export interface SensitivitySettings {
  /** Also numbers that were measured and have a range. */
  readonly measured: boolean;
  /** Samples of total-order indices; 0 is none. */
  readonly sobol: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
}

/** @throws the signal's reason between two machines */
export function stepSensitivity(
  machine: Machine,
  shape: PassShape,
  { measured, sobol: samples, seed, signal }: SensitivitySettings,
): StepSensitivity {
  const evaluate = (chip: Chip): number => {
    signal?.throwIfAborted();
    return steadyMs(openMachine({ ...machine.options, ...chip, record: 'none' }), shape);
  };
  const { profile, stack } = machine.options;
  const chip = { profile, stack };
  const effects = oneAtATime(chip, parametersOf(profile, stack, measured), evaluate);
  // A number without effect at either end is left out of the sampling.
  const active = effects.filter(({ swing }) => swing > 0).map(({ parameter }) => parameter);
  const sobol = samples === 0 ? null : totalOrder(chip, active, evaluate, samples, seededRandom(seed));
  const totals = new Map(sobol?.indices.map(({ parameter, total }) => [parameter.name, total]));
  return {
    ms: evaluate(chip),
    meanMs: sobol?.mean,
    deviationMs: sobol?.deviation,
    parameters: effects.map(({ parameter: { name, kind, value, range }, atLow, atHigh, swing }) => ({
      name,
      kind,
      value,
      range,
      msAtLow: atLow,
      msAtHigh: atHigh,
      swing,
      totalOrder: sobol === null ? undefined : (totals.get(name) ?? 0),
    })),
  };
}
