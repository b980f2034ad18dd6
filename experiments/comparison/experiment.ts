import type { TopLevelSpec } from 'vega-lite';
import type { Bench } from './bench.js';
import type { Decodes } from './decodes.js';

/** Named columns, units in their names. Null where a value does not exist. */
export type Columns = Readonly<Record<string, readonly (number | string | null)[]>>;

/**
 * What a match with the paper would prove: `calibrated` nothing (something was chosen with the figure in view),
 * `predicted` that the value comes out, `ordering` only that the order or the shape does.
 */
export type Kind = 'calibrated' | 'predicted' | 'ordering';

/** Something that depends on who decided: the confidence process that was fitted to LLaDA-8B, or anything else. */
export interface BySource<T> {
  readonly synthetic: T;
  readonly other: T;
}

/** Decided by a process fitted elsewhere: the value must come out. By another model: only an order can. */
export const DECIDED: BySource<Kind> = { synthetic: 'predicted', other: 'ordering' };
/** The confidence process was fitted to this very figure. */
export const FITTED: BySource<Kind> = { synthetic: 'calibrated', other: 'ordering' };

/**
 * Rows of the comparison. Expressions are mathjs over the measured columns, the derived ones and `paper`, an object
 * with the paper's columns. A vector gives one row per element, a number gives one row.
 */
export interface RowSpec {
  /** `{label}` is replaced by the element of `labels`. */
  readonly name: string;
  /** Expression of the labels of a vector's elements. */
  readonly labels?: string;
  readonly unit: string;
  readonly ours: string;
  /** Null where the paper has no such number. */
  readonly paper: string | null;
  readonly kind: Kind | BySource<Kind>;
  /** Condition over `ours`, `paper` and `error`, with the claim it belongs to and what it says. */
  readonly band?: { readonly claim: string; readonly text: string; readonly pass: string };
  /** Why the value misses its band, as far as known. `{model}` is replaced by the workload's name. */
  readonly whenMissed?: string | BySource<string>;
}

/** One table or figure of the paper: what runs, what is measured, what it is compared with, how it is drawn. */
export interface Experiment {
  readonly name: string;
  readonly title: string;
  /** Table or figure of experiments/paper/numbers.json; null for an experiment the paper does not have. */
  readonly paper: string | null;
  /** What runs, in one sentence. */
  readonly runs: string;
  /** Workload that decides unless the user names one; null: simulated costs only, nothing is decided. */
  readonly workload: string | null;
  /** Software stacks whose assumed numbers the result depends on. */
  readonly stacks: readonly string[];
  /** @param decodes of the workload; only for experiments that have one */
  measure(bench: Bench, decodes: () => Promise<Decodes>): Promise<Columns> | Columns;
  /** Name to mathjs expression, evaluated in order; each sees the ones before it. */
  readonly derived: Readonly<Record<string, string>>;
  readonly rows: readonly RowSpec[];
  /** Sentences without which the comparison would mislead; `{model}` as above. */
  readonly notes: readonly (string | BySource<string>)[];
  figure(columns: Columns, paper: Columns): TopLevelSpec;
}

/**
 * Numbers of a column; nulls stay.
 * @throws Error when the column is missing or holds text: a mistake in an experiment file
 */
export function numbersOf(columns: Columns, name: string): (number | null)[] {
  const column = columns[name];
  if (column === undefined) throw new Error(`no column ${name}`);
  return column.map((value) => {
    if (typeof value === 'string') throw new Error(`column ${name} holds text`);
    return value;
  });
}
