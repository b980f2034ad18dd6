import { inv, lusolve } from 'mathjs';

/** Relative residuals of a model whose parameters are given as logarithms of their change. */
export type Residuals = (logs: readonly number[]) => readonly number[];

export interface Solution {
  /** Logarithm of every parameter's change. */
  readonly logs: readonly number[];
  readonly residuals: readonly number[];
  /** d residual / d log, a row per residual. */
  readonly jacobian: readonly (readonly number[])[];
}

const STEP = 1e-3;
/** No number is off by more than a factor of 20. */
const LIMIT = 3;
const ITERATIONS = 25;
const FIRST_DAMPING = 1e-2;
const LARGEST_DAMPING = 1e6;

const squares = (values: readonly number[]): number => values.reduce((sum, value) => sum + value * value, 0);

/** Least squares by Gauss and Newton with Levenberg's damping (Nocedal and Wright, Numerical Optimization, 10.3). */
export function leastSquares(residualsAt: Residuals, start: readonly number[]): Solution {
  let logs = [...start];
  let residuals = residualsAt(logs);
  let jacobian = jacobianAt(residualsAt, logs, residuals);
  let damping = FIRST_DAMPING;
  for (let iteration = 0; iteration < ITERATIONS && logs.length > 0; iteration++) {
    const { normal, gradient } = normalEquations(jacobian, residuals);
    const before = squares(residuals);
    let moved = 0;
    while (damping < LARGEST_DAMPING) {
      const damped = normal.map((row, i) =>
        row.map((value, j) => (i === j ? value * (1 + damping) + 1e-12 : value)),
      );
      const step = (lusolve(damped, gradient) as number[][]).map(([value = 0]) => -value);
      const next = logs.map((value, i) => Math.min(LIMIT, Math.max(-LIMIT, value + step[i])));
      const there = residualsAt(next);
      if (squares(there) < before) {
        moved = Math.max(...next.map((value, i) => Math.abs(value - logs[i])));
        logs = next;
        residuals = there;
        damping /= 5;
        break;
      }
      damping *= 5;
    }
    jacobian = jacobianAt(residualsAt, logs, residuals);
    if (moved < 1e-5) break;
  }
  return { logs, residuals, jacobian };
}

/** Central differences: a model of maxima has kinks that one-sided ones stumble over. */
function jacobianAt(
  residualsAt: Residuals,
  logs: readonly number[],
  residuals: readonly number[],
): number[][] {
  const columns = logs.map((value, at) => {
    const up = residualsAt(logs.with(at, value + STEP));
    const down = residualsAt(logs.with(at, value - STEP));
    return up.map((residual, row) => (residual - down[row]) / (2 * STEP));
  });
  return residuals.map((_, row) => columns.map((column) => column[row]));
}

function normalEquations(jacobian: readonly (readonly number[])[], residuals: readonly number[]) {
  const size = jacobian[0]?.length ?? 0;
  const sumOver = (term: (row: readonly number[], at: number) => number): number =>
    jacobian.reduce((sum, row, at) => sum + term(row, at), 0);
  const indices = Array.from({ length: size }, (_, index) => index);
  const normal = indices.map((i) => indices.map((j) => sumOver((row) => row[i] * row[j])));
  const gradient = indices.map((i) => sumOver((row, at) => row[i] * residuals[at]));
  return { normal, gradient };
}

/** How well the residuals fix each parameter. */
export interface Certainty {
  /** Root mean square of d residual / d log: 0 when nothing depends on it. */
  readonly sensitivity: number;
  /** Standard error of the log, all other parameters unknown. */
  readonly error: number;
  /** The parameter whose error goes most with its own, and how much. */
  readonly partner: number;
  readonly correlation: number;
}

/**
 * @param deviation of one residual
 * @param prior deviation of every log before anything was measured
 */
export function certainties(jacobian: Solution['jacobian'], deviation: number, prior: number): Certainty[] {
  const { normal } = normalEquations(
    jacobian,
    jacobian.map(() => 0),
  );
  const known = normal.map((row, i) =>
    row.map((value, j) => (i === j ? value / deviation ** 2 + 1 / prior ** 2 : value / deviation ** 2)),
  );
  const covariance = known.length === 0 ? [] : inv(known);
  const at = (i: number, j: number): number => covariance[i][j];
  return normal.map((row, i) => {
    const correlations = row.map((_, j) => (i === j ? 0 : at(i, j) / Math.sqrt(at(i, i) * at(j, j))));
    const partner = correlations.reduce(
      (best, value, j) => (Math.abs(value) > Math.abs(correlations[best]) ? j : best),
      0,
    );
    return {
      sensitivity: Math.sqrt(row[i] / Math.max(1, jacobian.length)),
      error: Math.sqrt(at(i, i)),
      partner,
      correlation: correlations[partner],
    };
  });
}
