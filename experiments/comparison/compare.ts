import { CheckError } from '../../src/errors.js';
import { finiteOrNull } from './columns.js';
import type { ReproducedRow } from './result.js';

/**
 * What a match with the paper would prove: `calibrated` nothing (something was chosen with the figure in view),
 * `predicted` that the value comes out, `ordering` only that the order or the shape does.
 */
export type RowKind = ReproducedRow['kind'];

/** Who decided: the confidence process that was fitted to LLaDA-8B, or anything else. */
export type Source = 'synthetic' | 'other';

/** Something that depends on who decided. */
export type BySource<T> = Readonly<Record<Source, T>>;

/** What a claim promises of a row. Where a value is missing it is NaN: no condition holds. */
export interface Band {
  readonly claim: string;
  readonly text: string;
  readonly holds: (row: { readonly ours: number; readonly paper: number; readonly error: number }) => boolean;
}

/** What a row is, apart from its values. */
interface RowFacts {
  readonly unit: string;
  readonly kind: RowKind | BySource<RowKind>;
  readonly band?: Band;
  /** Why the value misses its band, as far as known. `{model}` is replaced by the workload's name. */
  readonly whenMissed?: string | BySource<string>;
}

/** One value held against the paper's. */
export interface Comparison extends RowFacts {
  readonly name: string;
  readonly ours: number | null;
  /** Null where the paper has no such number. */
  readonly paper: number | null;
  /** 95 % interval over the cases that were decoded. */
  readonly cases?: Ends;
  /** 80 % interval over what is not known of the machine, the same cases decoded. */
  readonly machine?: Ends;
}

/** Of an interval; null where there is none. */
export interface Ends {
  readonly low: number | null;
  readonly high: number | null;
}

/** Ends of an interval for each of several values. */
export interface EndColumns {
  readonly low: readonly (number | null)[];
  readonly high: readonly (number | null)[];
}

interface ColumnFacts extends RowFacts {
  readonly ours: readonly (number | null)[];
  /** Left out where the paper has no such column. */
  readonly paper?: readonly (number | null)[];
  readonly cases?: EndColumns;
  readonly machine?: EndColumns;
}

/**
 * A row per label. A point that the paper's column does not show makes no row.
 * @throws CheckError when the columns differ in length
 */
export function series<L extends number | string>(
  labels: readonly L[],
  name: (label: L) => string,
  { ours, paper, cases, machine, ...facts }: ColumnFacts,
): Comparison[] {
  for (const { length } of [ours, paper ?? labels, cases?.low ?? labels, machine?.low ?? labels]) {
    if (length !== labels.length)
      throw new CheckError(`${name(labels[0])}: ${length} values against ${labels.length}`);
  }
  return labels.flatMap((label, i) =>
    paper?.[i] === null
      ? []
      : [
          {
            name: name(label),
            ours: ours[i],
            paper: paper?.[i] ?? null,
            ...facts,
            ...(cases === undefined ? {} : { cases: endsAt(cases, i) }),
            ...(machine === undefined ? {} : { machine: endsAt(machine, i) }),
          },
        ],
  );
}

/** The interval of one of the values. */
export function endsAt({ low, high }: EndColumns, i: number): Ends {
  return { low: low[i], high: high[i] };
}

/**
 * The row as it is printed and written: with its error, and whether its band was met.
 * @throws CheckError for a value that is undefined, an index past the end of a column: a mistake in a study
 */
export function compareRow(comparison: Comparison, source: Source): ReproducedRow {
  const { name, unit, band, whenMissed = 'not explained' } = comparison;
  if (comparison.ours === undefined || comparison.paper === undefined)
    throw new CheckError(`${name}: undefined, as past the end of a column`);
  const kind = bySource(comparison.kind, source);
  const [ours, paper] = [finiteOrNull(comparison.ours), finiteOrNull(comparison.paper)];
  const error = kind === 'ordering' || ours === null || paper === null ? null : relativeError(ours, paper);
  const { cases, machine } = comparison;
  const base = {
    ...{ name, ours, paper, error, kind, unit },
    ...{ low: finiteOrNull(cases?.low ?? null), high: finiteOrNull(cases?.high ?? null) },
    ...{ machineLow: finiteOrNull(machine?.low ?? null), machineHigh: finiteOrNull(machine?.high ?? null) },
  };
  if (band === undefined) return { ...base, claim: null, band: null, pass: null, reason: null };
  const pass = band.holds({
    ours: ours ?? Number.NaN,
    paper: paper ?? Number.NaN,
    error: error ?? Number.NaN,
  });
  const reason = pass ? null : bySource(whenMissed, source);
  return { ...base, claim: band.claim, band: band.text, pass, reason };
}

/** What holds for a source. */
export function bySource<T extends string>(value: T | BySource<T>, source: Source): T {
  return typeof value === 'string' ? value : value[source];
}

/** (ours - paper) / paper; null where the paper has 0. */
function relativeError(ours: number, paper: number): number | null {
  return paper === 0 ? null : (ours - paper) / paper;
}
