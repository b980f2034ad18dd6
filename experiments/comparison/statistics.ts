import { CheckError } from '../../src/errors.js';

type Values = readonly (number | null)[];

/** Least squares over the pairs of which both ends exist. */
interface Line {
  readonly slope: number;
  readonly intercept: number;
  /** Pearson's correlation. */
  readonly r: number;
}

/** @throws CheckError when the columns differ in length */
export function line(x: Values, y: Values): Line {
  const [xs, ys] = pairs(x, y);
  const average = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const [mx, my] = [average(xs), average(ys)];
  const sum = (of: (dx: number, dy: number) => number): number =>
    xs.reduce((total, value, i) => total + of(value - mx, ys[i] - my), 0);
  const [xx, xy, yy] = [sum((dx) => dx * dx), sum((dx, dy) => dx * dy), sum((_, dy) => dy * dy)];
  return { slope: xy / xx, intercept: my - (xy / xx) * mx, r: xy / Math.sqrt(xx * yy) };
}

/**
 * Spearman's rank correlation: Pearson's of the ranks, ties sharing their mean rank.
 * @throws CheckError when the columns differ in length
 */
export function spearman(x: Values, y: Values): number {
  const [xs, ys] = pairs(x, y);
  return line(ranks(xs), ranks(ys)).r;
}

function pairs(x: Values, y: Values): [number[], number[]] {
  if (x.length !== y.length) throw new CheckError(`${x.length} values against ${y.length}`);
  const kept = x.flatMap((a, i) => {
    const b = y[i];
    return a === null || b === null ? [] : [[a, b]];
  });
  return [kept.map(([a]) => a), kept.map(([, b]) => b)];
}

/** Ranks from 1. */
function ranks(values: readonly number[]): number[] {
  return values.map((value) => {
    const below = values.filter((other) => other < value).length;
    const equal = values.filter((other) => other === value).length;
    return below + (equal + 1) / 2;
  });
}
