import { CheckError } from '../../src/errors.js';

/** Values of one kind, one per case, row or setting; null where a value does not exist. */
type Column = readonly (number | string | null)[];

/** Named columns and single values, units in their names. */
export type Columns = Readonly<Record<string, Column | number | null>>;

/** Columns as they are written: a single value is a list of one, and what is no number is null. */
export type WrittenColumns = Record<string, (number | string | null)[]>;

export function written(columns: Columns): WrittenColumns {
  return Object.fromEntries(
    Object.entries(columns).map(([name, value]) => [
      name,
      (Array.isArray(value) ? (value as Column) : [value as number | null]).map((each) =>
        typeof each === 'string' ? each : finiteOrNull(each),
      ),
    ]),
  );
}

/** JSON knows no NaN: a mean of nothing, a ratio to nothing. */
export function finiteOrNull(value: number | null): number | null {
  return Number.isFinite(value) ? value : null;
}

/**
 * The value beside `label`.
 * @throws CheckError where there is no such label: a mistake in a study
 */
export function valueAt<L extends number | string, V>(
  labels: readonly L[],
  values: readonly V[],
  label: L,
): V {
  const at = labels.indexOf(label);
  if (at < 0) throw new CheckError(`no value at ${label}: there are ${labels.join(', ')}`);
  return values[at];
}

/** a / b, element by element. */
export function ratios(a: readonly number[], b: readonly number[]): number[] {
  return a.map((value, i) => value / b[i]);
}

/** A row of a table that a study gives beside, or in place of, comparisons: units in the names of its fields. */
export type TableRow = Readonly<Record<string, string | number | boolean | null>>;

/** Columns of equal length as rows. @throws CheckError when their lengths differ */
export function rowsOf(
  columns: Readonly<Record<string, readonly (string | number | boolean | null)[]>>,
): TableRow[] {
  const entries = Object.entries(columns);
  const [length = 0, ...others] = entries.map(([, column]) => column.length);
  if (others.some((other) => other !== length)) throw new CheckError('columns of a table differ in length');
  return Array.from({ length }, (_, i) =>
    Object.fromEntries(entries.map(([name, column]) => [name, column[i]])),
  );
}
