import type { Chip } from '../open-machine.js';
import { type Parameter, withValues } from './parameters.js';

/** What one parameter alone does to a result. */
export interface OneAtATime {
  readonly parameter: Parameter;
  readonly atLow: number;
  readonly atHigh: number;
  /** |atHigh - atLow| over the result at the defaults. */
  readonly swing: number;
}

/** The result of a chip, e.g. the ms of a step. */
export type Evaluate = (chip: Chip) => number;

/** Moves each parameter to both ends of its range, the others at their defaults. Largest swing first. */
export function oneAtATime(chip: Chip, parameters: readonly Parameter[], evaluate: Evaluate): OneAtATime[] {
  const base = evaluate(chip);
  return parameters
    .map((parameter): OneAtATime => {
      const [low, high] = parameter.range;
      const atLow = evaluate(withValues(chip, [[parameter, low]]));
      const atHigh = evaluate(withValues(chip, [[parameter, high]]));
      return { parameter, atLow, atHigh, swing: Math.abs(atHigh - atLow) / base };
    })
    .sort((a, b) => b.swing - a.swing);
}

/** Total-order index of a parameter: the share of the variance that goes away when it alone is known, all effects. */
export interface TotalOrder {
  readonly parameter: Parameter;
  readonly total: number;
}

/**
 * Total-order Sobol indices over uniform, independent ranges by Jansen's estimator (Saltelli et al. 2010, table 2):
 * mean of (f(A) - f(A with column i of B))^2 / 2 over the variance.
 * @param samples rows of A and B; samples * (parameters + 2) evaluations
 * @param random in [0, 1)
 * @returns largest first; all 0 when the result does not vary
 */
export function totalOrder(
  chip: Chip,
  parameters: readonly Parameter[],
  evaluate: Evaluate,
  samples: number,
  random: () => number,
): { readonly indices: TotalOrder[]; readonly mean: number; readonly deviation: number } {
  const draw = (): number[] => parameters.map(({ range: [low, high] }) => low + random() * (high - low));
  const run = (values: readonly number[]): number =>
    evaluate(
      withValues(
        chip,
        parameters.map((parameter, at) => [parameter, values[at] ?? parameter.value]),
      ),
    );
  const results: number[] = [];
  const squares = parameters.map(() => 0);
  for (let sample = 0; sample < samples; sample++) {
    const a = draw();
    const b = draw();
    const fa = run(a);
    results.push(fa, run(b));
    parameters.forEach((_parameter, at) => {
      const mixed = a.with(at, b[at]);
      squares[at] = squares[at] + (fa - run(mixed)) ** 2;
    });
  }
  const mean = results.reduce((sum, value) => sum + value, 0) / results.length;
  const variance = results.reduce((sum, value) => sum + (value - mean) ** 2, 0) / results.length;
  const indices = parameters
    .map((parameter, at) => ({
      parameter,
      total: variance === 0 ? 0 : squares[at] / (2 * samples) / variance,
    }))
    .sort((x, y) => y.total - x.total);
  return { indices, mean, deviation: Math.sqrt(variance) };
}

/** Uniform numbers in [0, 1) from a seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
