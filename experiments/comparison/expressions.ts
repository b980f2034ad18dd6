import { all, create, type MathJsInstance } from 'mathjs';
import { CheckError } from '../../src/errors.js';
import type { Columns } from './experiment.js';

/** What an expression may give. */
export type Value = number | string | boolean | readonly (number | string | boolean)[];

export type Scope = Record<string, unknown>;

const math = createMath();

/** mathjs with plain arrays, and the few statistics of pairs that it lacks. Pairs with a missing end are left out. */
function createMath(): MathJsInstance {
  const instance = create(all, { matrix: 'Array' });
  instance.import({
    slope: (x: number[], y: number[]) => line(x, y).slope,
    intercept: (x: number[], y: number[]) => line(x, y).intercept,
    pearson: (x: number[], y: number[]) => line(x, y).r,
    spearman: (x: number[], y: number[]) => {
      const [a, b] = pairs(x, y);
      return line(ranks(a), ranks(b)).r;
    },
    /** Element of `of` where `values` is smallest. */
    at_min: (values: number[], of: number[]) => of[values.indexOf(Math.min(...values.filter(isNumber)))],
    /** Neighbours that do not follow `direction` (1 rising, -1 falling); equal ones follow both. */
    inversions: (values: number[], direction: number) =>
      values.filter(
        (value, i) => i > 0 && isNumber(value) && direction * (value - (values[i - 1] ?? value)) < 0,
      ).length,
  });
  return instance;
}

const isNumber = (value: number): boolean => !Number.isNaN(value);

function pairs(x: readonly number[], y: readonly number[]): [number[], number[]] {
  if (x.length !== y.length) throw new Error(`${x.length} values against ${y.length}`);
  const kept = x.map((_, i) => i).filter((i) => isNumber(x[i] ?? Number.NaN) && isNumber(y[i] ?? Number.NaN));
  return [kept.map((i) => x[i] ?? 0), kept.map((i) => y[i] ?? 0)];
}

/** Least squares. */
function line(xs: readonly number[], ys: readonly number[]): { slope: number; intercept: number; r: number } {
  const [x, y] = pairs(xs, ys);
  const average = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const [mx, my] = [average(x), average(y)];
  const sum = (of: (dx: number, dy: number) => number): number =>
    x.reduce((total, value, i) => total + of(value - mx, (y[i] ?? 0) - my), 0);
  const [xx, xy, yy] = [sum((a) => a * a), sum((a, b) => a * b), sum((_, b) => b * b)];
  return { slope: xy / xx, intercept: my - (xy / xx) * mx, r: xy / Math.sqrt(xx * yy) };
}

/** Ranks from 1; ties share their mean rank. */
function ranks(values: readonly number[]): number[] {
  return values.map((value) => {
    const below = values.filter((other) => other < value).length;
    const equal = values.filter((other) => other === value).length;
    return below + (equal + 1) / 2;
  });
}

/** Columns as mathjs sees them: a missing value is NaN. */
export function scopeOf(columns: Columns): Scope {
  return Object.fromEntries(
    Object.entries(columns).map(([name, values]) => [name, values.map((value) => value ?? Number.NaN)]),
  );
}

/**
 * @param what named in the error
 * @throws CheckError when the expression is wrong or gives something else than numbers and texts
 */
export function evaluate(expression: string, scope: Scope, what: string): Value {
  let value: unknown;
  try {
    value = math.evaluate(expression, { ...scope });
  } catch (error) {
    throw new CheckError(
      `${what}: "${expression}": ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  if (isScalar(value)) return value;
  if (Array.isArray(value) && value.every(isScalar)) return value;
  throw new CheckError(`${what}: "${expression}" gives neither a number nor a list`);
}

function isScalar(value: unknown): value is number | string | boolean {
  return typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean';
}

/** Evaluates named expressions in order and adds each to the scope. Returns them as columns. */
export function derive(expressions: Readonly<Record<string, string>>, scope: Scope): Columns {
  const derived: Record<string, (number | string | null)[]> = {};
  for (const [name, expression] of Object.entries(expressions)) {
    const value = evaluate(expression, scope, name);
    scope[name] = value;
    derived[name] = list(value).map((item) => (typeof item === 'boolean' ? Number(item) : known(item)));
  }
  return derived;
}

/** A value as a list; a scalar has one element. */
export function list(value: Value): readonly (number | string | boolean)[] {
  return typeof value === 'object' ? value : [value];
}

/** NaN is how a missing value travels through mathjs. */
export function known<T>(value: T): T | null {
  return typeof value === 'number' && Number.isNaN(value) ? null : value;
}
